"""voiceguide: an offline, spoken guide through a couple's pause and repair."""

__version__ = "0.1.0"

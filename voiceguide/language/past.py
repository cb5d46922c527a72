"""Old wrongs brought in as a weapon, from either side (domain 4.5); never where they are what the talk is about."""

from __future__ import annotations

from collections.abc import Sequence

from voiceguide.language.reading import Reading

WEAPON = "weapon"
STEM = 5  # letters that make two forms of one word alike ("promise", "promised"); shorter words must be equal


def is_weapon(reading: Reading, topic: Sequence[str] = ()) -> bool:
    """Whether the past is used against the other. `topic`: words of what this talk was agreed to be about."""
    if topic and _is_about(reading, topic):
        return False
    likely = reading.ask("past")
    if likely:
        return likely[WEAPON] >= reading.threshold("past", WEAPON, 0.5)
    return bool(reading.rules("past"))


def _is_about(reading: Reading, topic: Sequence[str]) -> bool:
    stems = {word.lower()[:STEM] for word in topic if len(word) > 2}
    return any(word[:STEM] in stems for word in reading.utterance.words)

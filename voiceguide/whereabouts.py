"""Which country the machine stands in, for help lines: what the household chose, else what its clock and language say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from voiceguide.language.helplines import guess_country
from voiceguide.settings import Settings

_ZONE_LINK = Path("/etc/localtime")  # Linux and macOS: a link into the folder of zones, which ends in the zone's name
_ZONES = "zoneinfo/"


def country_of(settings: Settings, environment: Mapping[str, str] = os.environ, zone_link: Path = _ZONE_LINK) -> str:
    """ISO code of the country whose help lines count, "" when in doubt, and then neutral words are said. Nobody else is asked."""
    if settings.country:
        return settings.country.upper()
    zone = environment.get("TZ", "").lstrip(":") or _zone_of(zone_link)
    locale = next((environment[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(key)), "")
    return guess_country(locale, zone.rpartition(_ZONES)[2])


def _zone_of(link: Path) -> str:
    try:
        return str(link.readlink()) if link.is_symlink() else ""
    except OSError:  # an odd file system: no zone is known, which is no fault
        return ""

"""Help lines of a country, and how a number is spoken. The numbers are content (`content/helplines.toml`), dated, with sources.

Laws. A wrong number is worse than none: an unknown country, or one without such a line, gets neutral words. A number is spoken
digit by digit, in groups, because nobody writes it down in that moment. (domain 5.4, mission R18)
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from voiceguide.errors import ContentError
from voiceguide.language.contract import read_toml
from voiceguide.language.pack import Pack
from voiceguide.language.wording import Wording

_FILE = "helplines.toml"
_KINDS = ("emergency", "support", "crisis")
_KEYS = {"zones", "also", *_KINDS}
_UNTOLD = ("en_us",)  # the locale of many machines that never were in the United States: it tells nothing about the country


@dataclass(frozen=True, slots=True)
class Line:
    """One number, written in the groups in which it is said. `sources`: the pages; `checked`: the day it was copied from them."""

    number: str
    sources: tuple[str, ...]
    checked: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Numbers of a country: digits and spaces, "" where it has no such line."""

    emergency: str = ""
    support: str = ""
    crisis: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    """Everything listed for a country; `lines` by kind. `zones`: time zones, or beginnings of them, that lie in it alone."""

    code: str
    zones: tuple[str, ...]
    lines: Mapping[str, Line]
    also: tuple[Line, ...] = ()

    def all(self) -> tuple[Line, ...]:
        """Every line, also those that are not spoken by default."""
        return (*self.lines.values(), *self.also)


@functools.lru_cache(maxsize=1)
def countries() -> Mapping[str, Country]:
    """All countries by ISO code, read once. Raises ContentError naming the country and key."""
    table = read_toml("", _FILE)
    sources = table.pop("sources", {})
    return {code: _country(code, rows, sources) for code, rows in table.items()}


def lines_for(country: str) -> Lines:
    """The numbers of `country` (ISO code, any case); all "" for one that is not listed. Raises ContentError."""
    known = countries().get(country.upper())
    return Lines(**{kind: line.number for kind, line in known.lines.items()}) if known else Lines()


def slots_for(country: str, language: str) -> dict[str, str]:
    """What prompts say for `{emergency_line}`, `{support_line}` and `{crisis_line}`: spoken digits, or neutral words.

    Raises ContentError when the language's pack has no words for them.
    """
    lines = lines_for(country)
    return {f"{kind}_line": spoken(getattr(lines, kind), language) or _neutral(f"{kind}_line", language) for kind in _KINDS}


def spoken(number: str, language: str) -> str:
    """`number` (digits and spaces) as words, slowly: digit by digit, with a short gap and, between groups, a longer one."""
    return Wording(Pack.load(language)).digits(number) if number else ""


def guess_country(locale: str, zone: str) -> str:
    """The country a machine stands in, by its time zone ("Europe/Dublin"), else its locale ("en_GB.UTF-8"); "" when in doubt."""
    for country in countries().values():
        if any(zone == one or (one.endswith("/") and zone.startswith(one)) for one in country.zones):
            return country.code
    name = locale.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    territory = name.rpartition("_")[2].upper()
    elsewhere = "/" in zone and not zone.startswith("Etc/")  # a zone that we know nothing about still says: not here
    return territory if territory in countries() and name not in _UNTOLD and not elsewhere else ""


def _neutral(slot: str, language: str) -> str:
    words = Pack.load(language).lines
    if slot not in words:
        where = f"content/{language}/pack.toml: lines.{slot}"
        raise ContentError("broken_pack", f"{where} is missing", hint="it says in words what stands for the number")
    return str(words[slot])


def _country(code: str, rows: Mapping[str, Any], sources: Mapping[str, str]) -> Country:
    where = f"content/{_FILE}: {code}"
    if len(code) != 2 or not code.isupper() or not isinstance(rows, dict):
        raise ContentError("broken_content", f"{where} is no country", hint="use its ISO code of two capital letters")
    if unknown := set(rows) - _KEYS:
        raise ContentError("broken_content", f"{where}.{min(unknown)} is not known", hint=f"known: {', '.join(sorted(_KEYS))}")
    lines = {kind: _line(rows[kind], sources, f"{where}.{kind}") for kind in _KINDS if kind in rows}
    also = tuple(_line(row, sources, f"{where}.also") for row in rows.get("also", []))
    return Country(code, tuple(map(str, rows.get("zones", []))), lines, also)


def _line(row: Mapping[str, Any], sources: Mapping[str, str], where: str) -> Line:
    number, checked = row.get("number", ""), row.get("checked")
    if not isinstance(number, str) or not (number.isascii() and number.replace(" ", "").isdecimal()):
        raise ContentError("broken_content", f"{where}: number must be digits and spaces, in quotes")
    if not isinstance(checked, date):
        raise ContentError("broken_content", f"{where}: checked must be a day", hint="write for example checked = 2026-11-22")
    named = row.get("source", [])
    if not named or not all(one in sources for one in named):
        raise ContentError("broken_content", f"{where}: source must name pages under [sources]")
    return Line(number, tuple(sources[one] for one in named), checked, str(row.get("note", "")))

"""The ledger's lines, put together: each promise with its answers, and each week with its counts. Pure.

Laws. Nothing is weighed and nobody is compared: pauses, returns and answers are counted for both together. A line that cannot
be understood (from an older version, or mended by hand) is left out, and never stops the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from voiceguide.language.written import Written
from voiceguide.runtime.store import Entry

ANSWERS = ("kept", "missed", "not_yet")
NAMES = ("name_first", "name_second")
COUNTED = {"promise": "promised", **{one: one for one in ANSWERS}, "pause": "pauses", "return_kept": "returns"}
_OTHERS = ("request", "pattern", "phrase", "later")
SENTENCES = ("promise", "request")  # the rest of what is kept in words are names
_AS_IT_IS = Written()


@dataclass(frozen=True, slots=True)
class Answer:
    """One check-in's answer about a promise: `what` is kept, missed or not_yet."""

    day: date
    what: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised. `giver`: whose promise it is, by name, "" where none is known; `let_go`: None while it stands."""

    id: int
    text: str = field(repr=False)
    made: date
    giver: str = field(default="", repr=False)
    theme: str = ""
    answers: tuple[Answer, ...] = ()
    let_go: date | None = None

    def count(self, what: str) -> int:
        """How many check-ins were answered so."""
        return sum(one.what == what for one in self.answers)

    def counts(self) -> list[tuple[str, int]]:
        """All answers, in one fixed order."""
        return [(what, self.count(what)) for what in ANSWERS]


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday on, counted for both together."""

    begins: date
    promised: int = 0
    kept: int = 0
    missed: int = 0
    not_yet: int = 0
    pauses: int = 0
    returns: int = 0

    def counts(self) -> list[tuple[str, int]]:
        """All counts, in the order in which they are said."""
        return [(name, getattr(self, name)) for name in ("pauses", "returns", "promised", *ANSWERS)]


@dataclass(frozen=True, slots=True)
class Other:
    """A request, the pattern's name, the agreed phrase, or something put aside for later."""

    day: date
    kind: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that can be shown, oldest first. `weeks` holds only those in which something was counted."""

    promises: tuple[Promise, ...] = ()
    weeks: tuple[Week, ...] = ()
    others: tuple[Other, ...] = ()

    @property
    def since(self) -> date | None:
        """The first week's Monday."""
        return self.weeks[0].begins if self.weeks else None

    def total(self) -> list[tuple[str, int]]:
        """Counts over all weeks."""
        rows = [dict(week.counts()) for week in self.weeks]
        return [(name, sum(row[name] for row in rows)) for name, _ in Week(date.min).counts()]

    def every_week(self, until: date) -> tuple[Week, ...]:
        """From the first week to that of `until`, the quiet ones too."""
        if self.since is None:
            return ()
        known = {week.begins: week for week in self.weeks}
        last = max(monday(until), self.weeks[-1].begins)
        days = (self.since + timedelta(weeks=n) for n in range((last - self.since).days // 7 + 1))
        return tuple(known.get(day, Week(day)) for day in days)


def account(entries: Iterable[Entry], zone: tzinfo | None = None, written: Written = _AS_IT_IS) -> Account:
    """Put the ledger together. `zone`: where the couple lives; None is this machine's, summer time included. `written`: how their
    language writes what was dictated."""
    promises: dict[int, Promise] = {}
    weeks: dict[date, Week] = {}
    others: list[Other] = []
    lines = list(entries)
    names = _names(lines)
    for entry in lines:
        day = datetime.fromtimestamp(entry.at, zone).date()
        if name := COUNTED.get(entry.kind, ""):
            week = weeks.get(monday(day), Week(monday(day)))
            weeks[week.begins] = replace(week, **{name: getattr(week, name) + 1})
        text = _text(entry.values)
        if entry.kind == "promise" and text:
            number = _whole(entry.values, "id", entry.id)
            giver = names.get(_whole(entry.values, "who", -1), "")
            promises[number] = Promise(number, written(text, sentence=True), day, giver, str(entry.values.get("theme", "")))
        elif entry.kind in _OTHERS and text:
            others.append(Other(day, entry.kind, written(text, sentence=entry.kind in SENTENCES)))
        elif (promise := promises.get(_whole(entry.values, "id", 0))) is not None:
            promises[promise.id] = _answered(promise, entry.kind, day)
    return Account(tuple(promises.values()), tuple(weeks[day] for day in sorted(weeks)), tuple(others))


def monday(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def _answered(promise: Promise, kind: str, day: date) -> Promise:
    if kind in ANSWERS:
        return replace(promise, answers=(*promise.answers, Answer(day, kind)))
    return replace(promise, let_go=day) if kind == "let_go" else promise


def _names(entries: list[Entry]) -> dict[int, str]:
    """The names that are in force: the last that were given."""
    return {NAMES.index(entry.kind): _text(entry.values) for entry in entries if entry.kind in NAMES}


def _text(values: Mapping[str, Any]) -> str:
    """What was dictated, on one line and without anything that a terminal would take for a command."""
    return " ".join("".join(one if one.isprintable() else " " for one in str(values.get("text", ""))).split())


def _whole(values: Mapping[str, Any], key: str, otherwise: int) -> int:
    value = values.get(key, otherwise)
    return int(value) if isinstance(value, (int, float)) else otherwise

"""Spoken times measured against public suites (`bench times --data FOLDER`): one row a kind, and what was wrong.

The cases are a report set: nobody tunes to single phrases of it. Fields of a case: `phrase`, `ref` (ISO time or null), `kind`
(duration, in, clock, datetime, none), `seconds` or `iso`, `accept`, `tod` (every time of day the suite accepts), `tol_s`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from voiceguide.errors import UsageError
from voiceguide.language.normalise import Normaliser
from voiceguide.language.pack import Pack
from voiceguide.language.when import Times, When

# A Tuesday evening, for cases that name no reference; the suites give wall times without a zone.
_ANY_TIME = datetime(2026, 3, 10, 19, 40)  # noqa: DTZ001 - see above


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One line of the table. `opened` counts definite times read out of answers that have none."""

    kind: str
    cases: int = 0
    right: int = 0
    wrong: tuple[str, ...] = field(default=(), repr=False)  # "id phrase -> reading", for the author

    @property
    def share(self) -> float:
        """Right answers, 0 to 1."""
        return self.right / self.cases if self.cases else 0.0


def time_cases(path: Path, language: str = "en") -> list[TimeRow]:
    """Rows by kind, then "all". `path`: the JSON file of cases. Raises UsageError when it cannot be read."""
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError("no_cases", f"{path.name} cannot be read", hint="name a folder that holds it: --data") from None
    pack = Pack.load(language)
    times, normalise = pack.times, pack.normalise
    rows: dict[str, tuple[int, list[str]]] = {}
    for case in cases:
        count, wrong = rows.setdefault(case["kind"], (0, []))
        when = _read(case, times, normalise)
        if not _is_right(case, when):
            wrong.append(f"{case['id']} {case['phrase']} -> {when.kind} {when.seconds}")
        rows[case["kind"]] = (count + 1, wrong)
    table = [TimeRow(kind, count, count - len(wrong), tuple(wrong)) for kind, (count, wrong) in sorted(rows.items())]
    total = sum(row.cases for row in table)
    return [*table, TimeRow("all", total, sum(row.right for row in table))]


def _read(case: Mapping[str, Any], times: Times, normalise: Normaliser) -> When:
    return times.parse(normalise(case["phrase"]), _reference(case), expect_length=case["kind"] == "duration")


def _reference(case: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(case["ref"]) if case["ref"] else _ANY_TIME


def _is_right(case: Mapping[str, Any], when: When) -> bool:
    if case["kind"] == "none":
        # A lonely number is read only where a time was asked for (Understanding), and these cases ask nothing.
        return when.kind != "definite" or when.bare
    if when.seconds is None:
        return False
    tolerance = max(float(case["tol_s"] or 0), 1.0)
    if case["kind"] == "duration":
        return abs(when.seconds - float(case["seconds"])) <= tolerance
    moment = _reference(case) + timedelta(seconds=when.seconds)
    accepted = [datetime.fromisoformat(one).replace(tzinfo=None) for one in {*case["accept"], case["iso"]} if one]
    if any(abs((moment - one).total_seconds()) <= tolerance for one in accepted):
        return True
    return moment.strftime("%H:%M") in case["tod"]

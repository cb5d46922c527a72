"""Days and hours of the couple, as two pure functions that come in: the core itself knows only seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voiceguide.core import figures


class Calendar(Protocol):
    """Local time of the household. Pure: the same answer for the same question."""

    def at(self, now: float, days: int, hour: int) -> float:
        """The moment (seconds since 1970) at `hour` o'clock local time, `days` days after the day of `now`."""

    def hour(self, at: float) -> int:
        """The local hour (0-23) nearest to `at`."""


@dataclass(frozen=True, slots=True)
class UtcCalendar:
    """A household on the meridian: for tests, and until a runtime gives its own."""

    def at(self, now: float, days: int, hour: int) -> float:
        """As promised by Calendar."""
        return now - now % figures.DAY + days * figures.DAY + hour * figures.HOUR

    def hour(self, at: float) -> int:
        """As promised by Calendar."""
        return round(at % figures.DAY / figures.HOUR) % round(figures.DAY / figures.HOUR)

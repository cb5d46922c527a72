"""The household's local days and hours, summer time included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class LocalCalendar:
    """`core.calendar.Calendar` for a time zone."""

    zone: tzinfo

    def at(self, now: float, days: int, hour: int) -> float:
        """The moment (seconds since 1970) at `hour` o'clock local time, `days` days after the day of `now`."""
        day = datetime.fromtimestamp(now, self.zone) + timedelta(days=days)
        return day.replace(hour=hour, minute=0, second=0, microsecond=0).timestamp()

    def hour(self, at: float) -> int:
        """The local hour (0-23) nearest to `at`."""
        return (datetime.fromtimestamp(at, self.zone) + timedelta(minutes=30)).hour

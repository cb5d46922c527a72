"""When things happen: one queue of jobs and one clock, real or virtual, behind the same four verbs.

Wall time is read once, at boot, and then carried on by the clock that counts while a laptop sleeps; so a changed system clock
does not move an agreement, and a closed lid does not lengthen it. The virtual timeline jumps to the next thing that happens, as
trio's MockClock does: an hour's talk takes as long as its computing.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from collections.abc import Callable
from typing import Protocol

Job = Callable[[], None]


class Ended(Exception):  # noqa: N818 - a signal, not an error
    """Nothing will ever happen again on this timeline."""


class Timeline(Protocol):
    """A clock and a queue of jobs. Jobs run on the loop's thread, one at a time."""

    def now(self) -> float:
        """Wall time in seconds since 1970."""

    def post(self, job: Job) -> None:
        """Run `job` as soon as possible; may be called from any thread."""

    def at(self, when: float, job: Job) -> None:
        """Run `job` at wall time `when`; called on the loop's thread."""

    def next(self, until: float | None) -> Job | None:
        """The next job, waiting for it; None when `until` (wall time) came first. Raises Ended when nothing can come."""


class _Schedule:
    """Jobs by time, in order of arrival where times are equal."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()

    def add(self, when: float, job: Job) -> None:
        heapq.heappush(self._heap, (when, next(self._order), job))

    def first(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def take(self) -> Job:
        return heapq.heappop(self._heap)[2]


def _since_boot() -> float:
    """Seconds that also pass while the machine sleeps, where the system offers such a clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class RealTimeline:
    """Real time."""

    _LONGEST_WAIT = 5.0  # a sleeping machine stops the queue's wait; looking again bounds how late a return can be noticed

    def __init__(self) -> None:
        self._offset = time.time() - _since_boot()
        self._posted: queue.Queue[Job] = queue.Queue()
        self._schedule = _Schedule()

    def now(self) -> float:
        """Wall time as read at boot, carried on by the boot clock."""
        return self._offset + _since_boot()

    def post(self, job: Job) -> None:
        """Run soon."""
        self._posted.put(job)

    def at(self, when: float, job: Job) -> None:
        """Run then."""
        self._schedule.add(when, job)

    def next(self, until: float | None) -> Job | None:
        """Wait for whatever comes first: a posted job, a scheduled one, or `until`."""
        while True:
            scheduled = self._schedule.first()
            times = [t for t in (scheduled, until) if t is not None]
            left = min(times) - self.now() if times else self._LONGEST_WAIT
            try:
                if left > 0:
                    return self._posted.get(timeout=min(left, self._LONGEST_WAIT))
                return self._posted.get_nowait()
            except queue.Empty:
                pass
            if scheduled is not None and scheduled <= self.now():
                return self._schedule.take()
            if until is not None and until <= self.now():
                return None


class VirtualTimeline:
    """Time that jumps to the next thing that happens. `post` is for the loop's own thread, or for work it is blocked on."""

    def __init__(self, start: float) -> None:
        self._now = start
        self._schedule = _Schedule()
        self._posted: queue.Queue[Job] = queue.Queue()

    def now(self) -> float:
        """The moment that has been reached."""
        return self._now

    def post(self, job: Job) -> None:
        """Run at the present moment."""
        self._posted.put(job)

    def at(self, when: float, job: Job) -> None:
        """Run when the clock has jumped there."""
        self._schedule.add(when, job)

    def next(self, until: float | None) -> Job | None:
        """Jump to whatever comes first."""
        try:
            return self._posted.get_nowait()
        except queue.Empty:
            pass
        scheduled = self._schedule.first()
        if scheduled is None and until is None:
            raise Ended
        if scheduled is not None and (until is None or scheduled <= until):
            self._now = max(self._now, scheduled)
            return self._schedule.take()
        if until is not None:
            self._now = max(self._now, until)
        return None

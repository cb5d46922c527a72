"""The loop: run jobs as they come, tick when a clock is due, until told to stop or nothing is left to happen."""

from __future__ import annotations

from typing import Protocol

from voiceguide.runtime.timeline import Ended, Timeline


class Ticking(Protocol):
    """What the loop needs of a guide."""

    def next_due(self) -> float | None:
        """Wall time of the next tick, or None."""

    def tick(self) -> None:
        """Hear the clocks that have run out."""


class Loop:
    """One guide on one timeline."""

    def __init__(self, guide: Ticking, timeline: Timeline) -> None:
        self._guide = guide
        self._timeline = timeline
        self._running = False

    def stop(self) -> None:
        """Leave `run` after the present job; may be called from any thread."""
        self._running = False
        self._timeline.post(lambda: None)

    def run(self, until: float | None = None) -> None:
        """Run until stopped, until wall time `until`, or until a virtual timeline has nothing left."""
        self._running = True
        while self._running:
            due = self._guide.next_due()
            times = [t for t in (due, until) if t is not None]
            try:
                job = self._timeline.next(min(times) if times else None)
            except Ended:
                return
            if job is not None:
                job()
            elif until is not None and self._timeline.now() >= until and (due is None or due > until):
                return
            else:
                self._guide.tick()

"""The queue between those who speak and the device that pulls: exact about what was handed over, silent within 5 ms.

Pure but for a lock: no device, no clock, no thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from voiceguide.runtime.ports import Samples

FADE_SECONDS = 0.005  # short enough to count as at once, long enough not to click

Ticket = TypeVar("Ticket")


@dataclass(slots=True)
class _Waiting(Generic[Ticket]):
    ticket: Ticket
    samples: Samples
    rate: int
    at: int = 0  # the next sample to hand over
    before: float = 0.0  # seconds handed over at an earlier rate
    cut: bool = False

    @property
    def played(self) -> float:
        return self.before + self.at / self.rate


@dataclass(frozen=True, slots=True)
class Ended(Generic[Ticket]):
    """A clip has left the buffer: `seconds` were handed over; `complete` when that is all of it."""

    ticket: Ticket
    seconds: float
    complete: bool


class PlayBuffer(Generic[Ticket]):
    """Mono int16 clips, played in order without a gap. `pull` is called in the device's thread."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._clips: deque[_Waiting[Ticket]] = deque()

    @property
    def idle(self) -> bool:
        """Nothing is waiting or under way."""
        return not self._clips

    def put(self, ticket: Ticket, samples: Samples) -> None:
        """Queue a clip that is already at `rate`."""
        with self._lock:
            self._clips.append(_Waiting(ticket, samples, self.rate))

    def pull(self, count: int) -> tuple[Samples, list[Ended[Ticket]]]:
        """Exactly `count` samples (zeros where nothing waits), and the clips that ended within them."""
        out = np.zeros(count, np.int16)
        ended: list[Ended[Ticket]] = []
        filled = 0
        with self._lock:
            while self._clips:
                clip = self._clips[0]
                part = clip.samples[clip.at : clip.at + count - filled]
                out[filled : filled + len(part)] = part
                filled += len(part)
                clip.at += len(part)
                if clip.at < len(clip.samples):
                    break
                self._clips.popleft()
                ended.append(Ended(clip.ticket, clip.played, not clip.cut))
                if filled >= count:
                    break
        return out, ended

    def hush(self) -> list[Ended[Ticket]]:
        """Drop everything; what is under way fades within 5 ms. Those never begun are returned, the faded one ends by pull."""
        with self._lock:
            clips = list(self._clips)
            self._clips.clear()
            if clips and clips[0].at > 0:
                first = clips.pop(0)
                first.samples = first.samples[: first.at + round(FADE_SECONDS * first.rate)].copy()
                tail = first.samples[first.at :]
                tail[:] = (tail * np.linspace(1.0, 0.0, len(tail))).astype(np.int16)
                first.cut = True
                self._clips.append(first)
        return [Ended(clip.ticket, clip.played, complete=False) for clip in clips]

    def drop(self) -> list[Ended[Ticket]]:
        """Give everything up, without a fade: the device is gone. All are returned as incomplete."""
        with self._lock:
            clips = list(self._clips)
            self._clips.clear()
        return [Ended(clip.ticket, clip.played, complete=False) for clip in clips]

    def change_rate(self, rate: int, resample: Callable[[Samples, int, int], Samples]) -> None:
        """The device came back at another rate: what is left of each clip is resampled."""
        with self._lock:
            for clip in self._clips:
                rest = resample(clip.samples[clip.at :], clip.rate, rate)
                clip.before, clip.at, clip.samples, clip.rate = clip.played, 0, rest, rate
            self.rate = rate

"""What the loudspeaker was given, in step with what the microphone heard: the echo canceller's reference.

Two devices have two clocks and deliver in lumps, so the stock between them goes up and down. Only its lowest point within half a
second tells how far the reference really lags: that is kept within a band, early enough to come before its echo (the way
out and back takes 70 ms at least), late enough that lumps do not tear holes into it. Measured without this: the reference
came up to 113 ms *after* its echo, where no canceller looks.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from voiceguide.adapters.resample import StreamResampler
from voiceguide.runtime.ports import EAR_RATE, Samples

AIM = int(0.015 * EAR_RATE)  # samples in stock at the lowest point, after a correction
LOWEST, HIGHEST = 0, int(0.030 * EAR_RATE)  # the band within which nothing is corrected: every correction is a jump
WINDOW = EAR_RATE // 2  # samples between two looks
_BLOCKS = 1024  # kept when nobody takes: some seconds, not hours


class Reference:
    """`push` is called in the device's thread, `take` in the ear's; nothing but a deque is shared."""

    def __init__(self) -> None:
        self._pushed: deque[tuple[int, Samples]] = deque(maxlen=_BLOCKS)
        self._resampler = StreamResampler(EAR_RATE, EAR_RATE)
        self._waiting = np.zeros(0, np.int16)
        self._owed = 0  # zeros that were given because sound came late: so much of it is dropped, the rest stays in step
        self._lowest: int | None = None
        self._taken = 0

    def push(self, samples: Samples, rate: int) -> None:
        """What was just handed to the device, mono at `rate`."""
        self._pushed.append((rate, samples))

    def take(self, count: int) -> Samples:
        """The next `count` samples at EAR_RATE, not yet asked for; zeros where there is nothing."""
        self._drain()
        stock = len(self._waiting) - self._owed - count
        self._lowest = stock if self._lowest is None else min(self._lowest, stock)
        self._taken += count
        if self._taken >= WINDOW:
            self._correct()
        late = min(self._owed, len(self._waiting))
        self._owed -= late
        taken, self._waiting = self._waiting[late : late + count], self._waiting[late + count :]
        missing = count - len(taken)
        if missing:
            self._owed += missing
            taken = np.concatenate((taken, np.zeros(missing, np.int16)))
        return taken

    def _correct(self) -> None:
        lowest, self._lowest, self._taken = self._lowest or 0, None, 0
        if LOWEST <= lowest <= HIGHEST:
            return
        shift = lowest - AIM  # positive: too late, some is skipped; negative: too early, silence is put before it
        self._owed += shift
        if self._owed < 0:
            self._waiting = np.concatenate((np.zeros(-self._owed, np.int16), self._waiting))
            self._owed = 0

    def _drain(self) -> None:
        parts = [self._waiting]
        while self._pushed:
            rate, samples = self._pushed.popleft()
            if rate != self._resampler.rate:
                self._resampler = StreamResampler(rate, EAR_RATE)
            parts.append(self._resampler.feed(samples))
        if len(parts) > 1:
            self._waiting = np.concatenate(parts)

"""What the loudspeaker was given, in step with what the microphone heard: the echo canceller's reference.

Two devices have two clocks and deliver in lumps. A cushion hides the lumps; when the clocks have drifted too far apart the
oldest sound is dropped, so that the reference stays shortly before its echo, where a canceller can find it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from voiceguide.adapters.resample import StreamResampler
from voiceguide.runtime.ports import EAR_RATE, Samples

CUSHION = int(0.030 * EAR_RATE)  # shorter than the way out and back in (35 ms each way measured): never after its echo
MOST = int(0.300 * EAR_RATE)
_BLOCKS = 256  # kept when nobody takes: seconds, not hours


class Reference:
    """`push` is called in the device's thread, `take` in the ear's; nothing but a deque is shared."""

    def __init__(self) -> None:
        self._pushed: deque[tuple[int, Samples]] = deque(maxlen=_BLOCKS)
        self._resampler = StreamResampler(EAR_RATE, EAR_RATE)
        self._waiting = np.zeros(0, np.int16)
        self._flowing = False

    def push(self, samples: Samples, rate: int) -> None:
        """What was just handed to the device, mono at `rate`."""
        self._pushed.append((rate, samples))

    def take(self, count: int) -> Samples:
        """The next `count` samples at EAR_RATE, not yet asked for; zeros where there is nothing."""
        self._drain()
        if not self._flowing:
            if len(self._waiting) < count + CUSHION:
                return np.zeros(count, np.int16)
            self._flowing = True
        if len(self._waiting) > MOST:
            self._waiting = self._waiting[-(count + CUSHION) :]
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        if len(taken) < count:
            self._flowing = False
            taken = np.concatenate((taken, np.zeros(count - len(taken), np.int16)))
        return taken

    def _drain(self) -> None:
        parts = [self._waiting]
        while self._pushed:
            rate, samples = self._pushed.popleft()
            if rate != self._resampler.rate:
                self._resampler = StreamResampler(rate, EAR_RATE)
            parts.append(self._resampler.feed(samples))
        if len(parts) > 1:
            self._waiting = np.concatenate(parts)

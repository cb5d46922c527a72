"""The one place that changes a sampling rate (soxr); everyone else names the rate that they need.

A block-wise resampler that forgets its tail clicks at every block border, so live sound goes through `StreamResampler`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from voiceguide.runtime.ports import Samples


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """A whole mono int16 clip of `rate` hertz at `to` hertz; its length in seconds stays."""
    if rate == to or len(samples) == 0:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate, to), dtype=np.int16)


def resample_floats(sound: npt.NDArray[np.float32], rate: int, to: int) -> npt.NDArray[np.float32]:
    """The same for one channel of floats: recordings of 24 bits keep them until the end."""
    if rate == to or len(sound) == 0:
        return sound
    import soxr

    return np.asarray(soxr.resample(sound, rate, to), dtype=np.float32)


class StreamResampler:
    """Mono int16 blocks of any size at `rate` in, blocks at `to` out. Nothing is lost between blocks.

    Low quality on purpose: the better ones of soxr work in lumps and hold sound back for up to 41 ms (measured at 44.1 kHz),
    this one for 12 ms on average, and its 16 bits are more than a recogniser asks for.
    """

    def __init__(self, rate: int, to: int) -> None:
        self.rate = rate
        self._stream: Any = None
        if rate != to:
            import soxr

            self._stream = soxr.ResampleStream(rate, to, 1, dtype="int16", quality="LQ")

    def feed(self, samples: Samples) -> Samples:
        """The next block, resampled; may be shorter or longer than expected, the sum is exact."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(samples), dtype=np.int16)

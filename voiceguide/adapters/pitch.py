"""Pitch by SwiftF0 (MIT; a 116 kB wheel for every platform, its network inside; runs on onnxruntime, which the ears need too).

Chosen over pyworld, pysptk and REAPER (source only: no wheels) and Praat's bindings (GPL). Costs about 1.3% of one core
while somebody speaks. Lazy: the network is loaded at the first utterance, and only here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from voiceguide.runtime.ports import EAR_RATE, Samples
from voiceguide.runtime.prosody import PITCH_RANGE_HZ, PitchTrack

CHUNK = 64_000  # samples (4 s): bounds the network's working memory to about 20 MB, whatever the utterance's length


class _Found(Protocol):
    pitch_hz: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]


class _Detector(Protocol):
    def detect(self, audio: Samples, sample_rate: int, fmin: float, fmax: float) -> _Found: ...


class SwiftPitch:
    """A `PitchTracker`. The constructor is cheap and cannot fail; the first call loads the network (about 0.2 s)."""

    def __init__(self) -> None:
        self._detector: _Detector | None = None

    def __call__(self, samples: Samples) -> PitchTrack:
        """Pitch and confidence every 256 samples (16 ms) of mono int16 at 16 kHz. Raises ImportError without swift-f0."""
        if len(samples) == 0:
            return PitchTrack(np.zeros(0), np.zeros(0))
        if self._detector is None:
            self._detector = self._load()
        low, high = PITCH_RANGE_HZ
        found = [self._detector.detect(samples[at : at + CHUNK], EAR_RATE, low, high) for at in range(0, len(samples), CHUNK)]
        return PitchTrack(np.concatenate([part.pitch_hz for part in found]), np.concatenate([part.confidence for part in found]))

    @staticmethod
    def _load() -> _Detector:
        from swift_f0 import SwiftF0

        # One thread that sleeps between utterances: a busy pool would cost the recogniser its core.
        detector: _Detector = SwiftF0(threads=1, spin=False)
        return detector

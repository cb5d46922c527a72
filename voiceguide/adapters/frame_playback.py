"""A loudspeaker made of frames: whoever pulls the next frame makes time pass. For recordings, with or without a device.

Because microphone and loudspeaker frames are pulled in step, the two channels of `--out` are aligned by construction.
"""

from __future__ import annotations

from collections.abc import Callable

from voiceguide.adapters.play_buffer import Ended, PlayBuffer
from voiceguide.adapters.resample import resample
from voiceguide.runtime.ports import EAR_RATE, Clip, Samples

OnEnd = Callable[[float, bool], None]


class FramePlayback:
    """Implements ports.Playback; `reference` is what drives it. `on_play` is told that there is something to play."""

    def __init__(self, on_play: Callable[[], None] = lambda: None) -> None:
        self._buffer: PlayBuffer[OnEnd] = PlayBuffer(EAR_RATE)
        self.on_play = on_play

    def open(self) -> None:
        """Nothing to open."""

    @property
    def idle(self) -> bool:
        """Nothing waits or sounds."""
        return self._buffer.idle

    def play(self, clip: Clip, on_end: OnEnd) -> None:
        """Queue a clip."""
        self._buffer.put(on_end, resample(clip.samples, clip.rate, EAR_RATE))
        self.on_play()

    def hush(self) -> None:
        """Drop what waits; what sounds fades within 5 ms."""
        _tell(self._buffer.hush())

    def reference(self, samples: int) -> Samples:
        """The next `samples` samples: this is the moment at which they sound."""
        frame, ended = self._buffer.pull(samples)
        _tell(ended)
        return frame

    def close(self) -> None:
        """Whatever waited ends incomplete."""
        _tell(self._buffer.drop())


def _tell(ended: list[Ended[OnEnd]]) -> None:
    for clip in ended:
        clip.ticket(clip.seconds, clip.complete)

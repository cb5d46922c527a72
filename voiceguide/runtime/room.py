"""A room is where frames come from: a microphone, or a recording with the moment at which each part begins.

Both hand the ear one frame at a time, with what we were playing during it, on the loop's thread; both write the tape if there is
one. A recording may run on its own clock (`fast`): then it is silent ground between deadlines, and nothing waits for real time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voiceguide.runtime.ports import EAR_RATE, FRAME, Ear, Microphone, Playback, Samples
from voiceguide.runtime.timeline import Timeline

FRAME_SECONDS = FRAME / EAR_RATE
# The longest endpoint (a patient turn, 4 s) and its recognition must fit before a recording's clock may jump.
_LISTEN_ON = 5.0
_SETTLE_EVERY = 5  # frames: how finely the fast clock interleaves the recogniser's answers
_DEAF_TAIL = 15  # frames (300 ms, voice-stack 4.3): the room still sounds when the loudspeaker has ended


class Tape(Protocol):
    """Two aligned channels on disk."""

    def hear(self, frame: Samples, said: Samples | None = None) -> None:
        """One frame of each, of equal length."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A piece of a recording (mono int16 at EAR_RATE). It begins `at` seconds from the start, or `after` seconds of quiet."""

    samples: Samples
    at: float | None = None
    after: float | None = None


class LiveRoom:
    """Microphone and loudspeaker. Frames arrive on the device's thread and are heard on the loop's.

    `echo`: "app" (and "auto") cancels what we play; "half-duplex" is deaf while we play and a moment longer; "headset" and
    "system" leave the microphone alone, because nothing of us gets into it, or the sound system has taken it out.
    """

    def __init__(self, microphone: Microphone, playback: Playback, ear: Ear, timeline: Timeline, echo: str = "auto") -> None:
        self._microphone, self._playback, self._ear, self._timeline = microphone, playback, ear, timeline
        self._echo = echo
        self._deaf_frames = 0
        self.tape: Tape | None = None
        self._open = False

    def open(self, on_trouble: Callable[[str], None]) -> None:
        """Start listening. Raises DeviceError. `on_trouble` is called on the loop's thread."""
        self._open = True
        self._microphone.open(
            lambda frame: self._timeline.post(lambda: self._hear(frame)),
            lambda code: self._timeline.post(lambda: on_trouble(code)),
        )

    def _hear(self, frame: Samples) -> None:
        if not self._open:
            return
        said = self._playback.reference(len(frame))
        if self._echo == "half-duplex":
            self._ear.feed(np.zeros_like(frame) if self._is_deaf(said) else frame, None)
        else:
            self._ear.feed(frame, said if self._echo in ("auto", "app") else None)
        if self.tape is not None:
            self.tape.hear(frame, said)

    def _is_deaf(self, said: Samples) -> bool:
        """While we sound, and for the tail of the room after it."""
        self._deaf_frames = _DEAF_TAIL if said.any() else max(self._deaf_frames - 1, 0)
        return self._deaf_frames > 0

    def close(self) -> None:
        """Stop listening."""
        self._open = False
        self._microphone.close()


class RecordedRoom:
    """A recording as the microphone. Ends by calling `on_over` when all parts were heard and both sides are quiet."""

    def __init__(self, parts: list[Part], ear: Ear, playback: Playback, timeline: Timeline, *, fast: bool) -> None:
        self._parts = parts
        self._ear, self._playback, self._timeline, self._fast = ear, playback, timeline, fast
        self.tape: Tape | None = None
        self.speaking: Callable[[], bool] = lambda: False
        self.next_due: Callable[[], float | None] = lambda: None
        self.on_over: Callable[[], None] = lambda: None
        self._start = 0.0
        self._next_frame_at = 0.0
        self._number = 0  # of the part that sounds or comes next
        self._offset: int | None = None  # samples of it already heard
        self._quiet_since = 0.0
        self._frames = 0
        self._running = False

    def open(self) -> None:
        """Begin the recording now."""
        self._start = self._quiet_since = self._timeline.now()
        self.wake()

    def wake(self) -> None:
        """There is something to hear or to play: let frames run again."""
        if not self._running:
            self._running = True
            self._next_frame_at = self._timeline.now()
            self._timeline.at(self._next_frame_at, self._frame)

    def _frame(self) -> None:
        now = self._timeline.now()
        frame = self._sound(now)
        said = self._playback.reference(FRAME)
        self._ear.feed(frame, None)
        if self.tape is not None:
            self.tape.hear(frame, said)
        self._frames += 1
        if self._fast and self._frames % _SETTLE_EVERY == 0:
            self._ear.settle()
        if self.speaking() or self._offset is not None:
            self._quiet_since = now
        if self._may_rest(now):
            self._rest(now)
            return
        self._next_frame_at += FRAME_SECONDS
        self._timeline.at(self._next_frame_at, self._frame)

    def _sound(self, now: float) -> Samples:
        """The next frame of the recording: silence between its parts."""
        if self._offset is None and self._begins(now):
            self._offset = 0
        if self._offset is None:
            return np.zeros(FRAME, np.int16)
        samples = self._parts[self._number].samples
        frame = samples[self._offset : self._offset + FRAME]
        self._offset += FRAME
        if self._offset >= len(samples):
            self._offset = None
            self._number += 1
        return np.pad(frame, (0, FRAME - len(frame)))

    def _begins(self, now: float) -> bool:
        if self._number >= len(self._parts):
            return False
        part = self._parts[self._number]
        if part.after is not None:
            return not self.speaking() and now - self._quiet_since >= part.after
        return now >= self._start + (part.at or 0.0)

    def _may_rest(self, now: float) -> bool:
        """Quiet for long enough that the ear has said all it had to say, and no part is about to begin."""
        return now - self._quiet_since > max(_LISTEN_ON, self._after()) and self._frames % _SETTLE_EVERY == 0

    def _after(self) -> float:
        after = self._parts[self._number].after if self._number < len(self._parts) else None
        return (after or 0.0) if after is None or after < 60.0 else 0.0

    def _rest(self, now: float) -> None:
        """Nothing to hear and nothing to say: sleep until the next part, or for good."""
        self._ear.settle()
        over = self._number >= len(self._parts)
        if over and (not self._fast or self.next_due() is None):
            self.on_over()
            return
        if not self._fast:
            self._next_frame_at += FRAME_SECONDS
            self._timeline.at(self._next_frame_at, self._frame)
            return
        self._running = False
        if not over:
            part = self._parts[self._number]
            when = self._start + (part.at or 0.0) if part.after is None else self._quiet_since + part.after
            self._timeline.at(max(when, now + FRAME_SECONDS), self.wake)

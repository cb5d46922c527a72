"""Two mouths: one that renders and plays, and one that only takes the time that speech would take.

Both say prompts strictly one after the other and report each one's end exactly once, complete or hushed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from voiceguide.core.effects import Say
from voiceguide.errors import VoiceError
from voiceguide.runtime.ports import Clip, Playback
from voiceguide.runtime.timeline import Timeline

SETTLE = 0.35  # seconds between two prompts: domain 7.1, 350-400 ms between items
OnSpoken = Callable[[int, float, bool], None]


class SentenceLike(Protocol):
    """What wording gives: the text, and whether it is fixed (may be cached on disk)."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def fixed(self) -> bool:
        """No dictated words in it."""


Phrase = Callable[[Say], SentenceLike]


class TimedMouth:
    """Speaks in virtual time: a prompt takes as long as its words do at `words_per_minute`."""

    def __init__(self, phrase: Phrase, timeline: Timeline, words_per_minute: float = 150.0) -> None:
        self._phrase = phrase
        self._timeline = timeline
        self._words_per_second = words_per_minute / 60.0
        self._queue: deque[tuple[Say, float]] = deque()
        self._began = 0.0
        self.on_spoken: OnSpoken = lambda number, seconds, complete: None

    def say(self, say: Say) -> str:
        """Queue a prompt."""
        text = self._phrase(say).text
        self._queue.append((say, max(len(text.split()), 1) / self._words_per_second))
        if len(self._queue) == 1:
            self._start()
        return text

    def _start(self) -> None:
        self._began = self._timeline.now()
        say, seconds = self._queue[0]
        self._timeline.at(self._began + seconds + SETTLE, lambda: self._end(say, seconds))

    def _end(self, say: Say, seconds: float) -> None:
        if not self._queue or self._queue[0][0] is not say:
            return  # it was hushed
        self._queue.popleft()
        if self._queue:
            self._start()
        self.on_spoken(say.number, seconds, True)

    def chime(self, earcon: str) -> None:
        """Silent here."""

    def hush(self) -> None:
        """Everything queued ends incomplete."""
        queued = list(self._queue)
        self._queue.clear()
        for say, _ in queued:
            self._timeline.post(lambda number=say.number: self.on_spoken(number, 0.0, False))  # type: ignore[misc]

    def adjust(self, what: str, by: int) -> None:
        """Rate changes how long a prompt takes."""
        if what == "rate":
            self._words_per_second *= 1.15**by

    def speaking(self) -> bool:
        """Whether a prompt is under way."""
        return bool(self._queue)

    def playing(self) -> Say | None:
        """The prompt under way."""
        return self._queue[0][0] if self._queue else None


@dataclass(slots=True)
class Sound:
    """What a spoken mouth needs. `render(text, fixed)` blocks for some milliseconds; `earcon(id)` gives its clip."""

    render: Callable[[str, bool], Clip]
    earcon: Callable[[str], Clip]
    adjust: Callable[[str, int], None]


class SpokenMouth:
    """Renders with the voice, plays through `playback`; reports on the loop's thread through the timeline."""

    def __init__(self, phrase: Phrase, sound: Sound, playback: Playback, timeline: Timeline) -> None:
        self._phrase = phrase
        self._sound = sound
        self._playback = playback
        self._timeline = timeline
        self._queue: deque[Say] = deque()
        self.on_spoken: OnSpoken = lambda number, seconds, complete: None
        self.on_failed: Callable[[str], None] = lambda code: None

    def say(self, say: Say) -> str:
        """Render and queue a prompt. A voice that fails is reported; the talk goes on without the sentence."""
        sentence = self._phrase(say)
        self._queue.append(say)
        try:
            clip = self._sound.render(sentence.text, sentence.fixed)
        except VoiceError as error:
            self.on_failed(error.code)
            self._timeline.post(lambda: self._ended(say, 0.0, complete=True))
            return sentence.text
        self._playback.play(clip, lambda seconds, complete: self._report(say, seconds, complete=complete))
        return sentence.text

    def _report(self, say: Say, seconds: float, *, complete: bool) -> None:
        self._timeline.post(lambda: self._ended(say, seconds, complete=complete))

    def _ended(self, say: Say, seconds: float, *, complete: bool) -> None:
        if say in self._queue:
            self._queue.remove(say)
        self.on_spoken(say.number, seconds, complete)

    def chime(self, earcon: str) -> None:
        """Queue an earcon."""
        self._playback.play(self._sound.earcon(earcon), lambda seconds, complete: None)

    def hush(self) -> None:
        """Silence within a block."""
        self._playback.hush()

    def adjust(self, what: str, by: int) -> None:
        """Rate and volume of what is said from now on."""
        self._sound.adjust(what, by)

    def speaking(self) -> bool:
        """Whether anything waits or sounds."""
        return bool(self._queue)

    def playing(self) -> Say | None:
        """The prompt that sounds, or is next."""
        return self._queue[0] if self._queue else None

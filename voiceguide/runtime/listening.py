"""From frames to events, inside the ear's process: echo canceller, VAD, endpoint, recogniser, prosody. Synchronous.

Time is the number of samples fed, so a recording gives the same events at any speed. Sound is kept for the utterance under
way (20 s at most) and forgotten with it.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from voiceguide.core.effects import Patience
from voiceguide.runtime.endpoint import PRE_ROLL, Endpointer, Mark
from voiceguide.runtime.ports import EAR_RATE, Expectation, SpeechEnded, SpeechStarted, Utterance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from voiceguide.runtime.ports import EarEvent, Prosody, Samples

_ECHO_TAIL = 0.4  # seconds that a room and a loudspeaker go on sounding after the last sample was played


@dataclass(frozen=True, slots=True)
class Words:
    """What a recogniser makes of an utterance. The fields of `ports.Utterance`."""

    text: str = field(default="", repr=False)
    closed: str | None = field(default=None, repr=False)
    confidence: float = 1.0
    closed_confidence: float = 0.0


class Recogniser(Protocol):
    """Words from samples. One utterance after the other, all calls from one thread."""

    streaming: bool  # True: a guess costs nothing and may be asked for at every frame
    first_guess: float  # seconds of silence from which on a guess is worth its cost in a closed answer

    def begin(self, expectation: Expectation) -> None:
        """A new utterance, in which this is hoped for."""

    def accept(self, samples: Samples) -> None:
        """More of it, at EAR_RATE."""

    def guess(self) -> Words:
        """What it is so far; does not end it."""

    def finish(self, *, guess_holds: bool) -> Words:
        """What it was. Afterwards either `begin` or, in one long story, more of `accept`.

        `guess_holds`: only silence came after the last guess.
        """


class Vad(Protocol):
    """Speech probability of consecutive frames."""

    frame: int  # samples
    frame_seconds: float

    def probability(self, samples: Samples) -> float:
        """0 to 1."""


class Echo(Protocol):
    """Takes the guide's own voice out."""

    def process(self, frame: Samples, reference: Samples | None) -> Samples:
        """The frame without its echo."""


def is_complete(expectation: Expectation, text: str) -> bool:
    """Is `text` a whole expected answer, so that nothing more need be waited for?"""
    return text in expectation.phrases or bool(expectation.pattern and re.fullmatch(expectation.pattern, text))


class Listening:
    """SpeechStarted and SpeechEnded alternate; an Utterance (its text may be empty: a cough) follows each end, and comes
    without an end in the middle of a story that lasts. In a closed answer SpeechEnded may be told early, while a slow
    recogniser thinks (time for an earcon); if the person goes on after all, SpeechStarted is told again.
    """

    def __init__(
        self, recogniser: Recogniser, vad: Vad, echo: Echo | None = None, measure: Callable[[Samples], Prosody] | None = None
    ) -> None:
        """`measure`: how an utterance sounded (None: not asked for)."""
        self._recogniser, self._vad, self._echo, self._measure = recogniser, vad, echo, measure
        self._endpoint = Endpointer(vad.frame_seconds)
        self._expectation = self._current = Expectation("")
        self._rest = np.zeros(0, np.int16)
        # The frames that prove a beginning are themselves behind us when it is noticed: they come on top of the pre-roll.
        self._before: deque[Samples] = deque(maxlen=round(PRE_ROLL / vad.frame_seconds) + 7)
        self._heard: list[Samples] = []
        self._played = 0.0
        self._guessed = self._ended_told = False
        self._prosody: Prosody | None = None
        self._offset = 0.0
        self._piece_began = 0.0

    def resume(self, samples: int) -> None:
        """So many samples were fed to an ear that is gone: times go on counting from there."""
        self._offset = samples / EAR_RATE - self._endpoint.now

    def expect(self, expectation: Expectation) -> None:
        """From the next utterance on."""
        self._expectation = expectation
        if not self._endpoint.speaking:
            self._recogniser.begin(expectation)  # a closed vocabulary takes a fifth of a second: now, not while somebody speaks

    def feed(self, frame: Samples, reference: Samples | None = None) -> Iterator[EarEvent]:
        """One frame (any length that the echo canceller takes). SpeechEnded is yielded before recognition begins."""
        if self._echo is not None:
            frame = self._echo.process(frame, reference)
        sounding = reference is not None and bool(reference.any())
        self._played = _ECHO_TAIL if sounding else max(0.0, self._played - len(frame) / EAR_RATE)
        self._rest = np.concatenate([self._rest, frame])
        while len(self._rest) >= self._vad.frame:
            piece, self._rest = self._rest[: self._vad.frame], self._rest[self._vad.frame :]
            yield from self._hear(piece)

    def _hear(self, piece: Samples) -> Iterator[EarEvent]:
        endpoint = self._endpoint
        if not endpoint.speaking:
            endpoint.expect(self._expectation.patience, patient=self._expectation.patient)
        silent = endpoint.silence
        mark = endpoint.feed(self._vad.probability(piece), over_playback=self._played > 0)
        if mark is Mark.BEGAN:
            yield from self._begin(piece)
            return
        if not endpoint.speaking and mark is not Mark.ENDED:
            self._before.append(piece)
            return
        self._take(piece)
        if endpoint.speaking and endpoint.silence < silent:  # they went on
            self._guessed, self._prosody = False, None
            if self._ended_told:
                self._ended_told = False
                yield SpeechStarted(self._at(endpoint.now))
        yield from self._think() if mark is None else self._hand_over(mark)

    def _begin(self, piece: Samples) -> Iterator[EarEvent]:
        self._current = self._expectation
        self._guessed = self._ended_told = False
        self._piece_began = self._endpoint.began
        self._recogniser.begin(self._current)
        yield SpeechStarted(self._at(self._endpoint.began))
        for earlier in (*self._before, piece):
            self._take(earlier)
        self._before.clear()

    def _take(self, piece: Samples) -> None:
        self._heard.append(piece)
        self._recogniser.accept(piece)

    def _think(self) -> Iterator[EarEvent]:
        """In a silence: are the words so far a complete answer? Then it ends sooner."""
        endpoint, recogniser = self._endpoint, self._recogniser
        early = self._current.patience is Patience.CLOSED
        # Elsewhere people pause in mid-sentence all the time: a costly guess waits until half of the end silence is over.
        due = recogniser.first_guess if early or recogniser.streaming else max(recogniser.first_guess, endpoint.limit / 2)
        if endpoint.silence < due or (self._guessed and not recogniser.streaming):
            return
        if early and not recogniser.streaming and not self._ended_told:
            self._ended_told = True
            yield SpeechEnded(self._at(endpoint.now))
        self._guessed = True
        words = recogniser.guess()
        endpoint.complete = any(is_complete(self._current, text) for text in (words.text, words.closed) if text)
        if endpoint.complete and self._prosody is None and self._measure is not None:
            # Measured while the last of the silence is waited for: afterwards somebody would wait for it.
            self._prosody = self._measure(np.concatenate(self._heard))

    def _hand_over(self, mark: Mark) -> Iterator[EarEvent]:
        endpoint = self._endpoint
        if mark is Mark.ENDED and not self._ended_told:
            yield SpeechEnded(self._at(endpoint.now))
        words = self._recogniser.finish(guess_holds=self._guessed)
        sound = np.concatenate(self._heard)
        if mark is Mark.ENDED:
            # What follows may begin at once: the silence behind this utterance is the pre-roll of the next.
            silent = round((endpoint.now - endpoint.last_sound) / self._vad.frame_seconds)
            self._before.extend(self._heard[len(self._heard) - silent :])
        self._heard.clear()
        yield Utterance(
            began=self._at(self._piece_began),
            ended=self._at(endpoint.last_sound),
            decided=self._at(endpoint.now),
            text=words.text,
            closed=words.closed,
            confidence=words.confidence,
            closed_confidence=words.closed_confidence,
            prosody=self._prosody or (self._measure(sound) if self._measure is not None else None),
        )
        self._prosody = None
        self._piece_began = endpoint.now
        self._guessed = self._ended_told = False

    def _at(self, seconds: float) -> float:
        return round(self._offset + seconds, 3)

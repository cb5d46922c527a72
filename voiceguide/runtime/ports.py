"""What the runtime needs from devices and engines, and nothing more. Adapters fill these; fakes in tests fill them too.

Sound is always mono int16. Times called `at` are seconds of *audio* since the ear was opened (the sum of the samples fed),
never a clock: an endpoint is decided by sound alone, so a recording replays faster than real time with equal results.
Constructors are cheap and cannot fail; `open()` does the work; everything that opens is a context manager.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Union

import numpy as np
import numpy.typing as npt

from voiceguide.core.effects import Patience

EAR_RATE = 16_000  # hertz: what every ear is fed with
FRAME = 320  # samples (20 ms at EAR_RATE): the unit that microphones and recordings deliver

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Rendered sound. `samples` is mono int16 of shape (n,); `rate` in hertz; `lasting` is False when a stand-in spoke: it
    may be played, but never cached under the name of the voice that was late.
    """

    samples: Samples
    rate: int
    lasting: bool = True

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class Manner:
    """How a sentence is to sound. `voice` is the engine's own id ("" = its default for `language`); `volume` 0 to 1."""

    language: str = "en"
    voice: str = ""
    words_per_minute: int = 150
    volume: float = 1.0


class Voice(Protocol):
    """Renders sentences; never plays them."""

    name: str

    def open(self) -> None:
        """Start the engine. Raises VoiceError with a hint when it cannot be had."""

    def render(self, text: str, manner: Manner) -> Clip:
        """Render one prompt (blocks, typically 10 to 500 ms). Raises VoiceError, never hangs longer than 5 s."""

    def close(self) -> None:
        """Let go of the engine and its process; safe to call twice."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the ear should hope for. `phrases`: normalised complete answers and rails; `pattern`: a regular expression that
    also marks a complete answer (times, numbers); `words`: every word of the closed vocabulary (for a closed recogniser).
    """

    name: str
    phrases: frozenset[str] = frozenset()
    pattern: str = ""
    words: frozenset[str] = frozenset()
    patience: Patience = Patience.CLOSED
    patient: bool = False  # the setting for people who need longer: every end silence is doubled


@dataclass(frozen=True, slots=True)
class Prosody:
    """How an utterance sounded, raw (no baseline here). Decibels, semitones re 100 Hz, words or syllables per second."""

    level_db: float  # of active frames, re full scale
    pitch_st: float | None  # median; None when too little was voiced
    pitch_high_st: float | None  # 90th percentile
    tilt_db: float  # energy 2-6 kHz against 0.05-2 kHz
    active_seconds: float
    voiced_share: float
    syllables_per_second: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at`; `own_voice` is True when the guide itself was playing and echo explains the sound."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The endpoint was decided at `at` (recognition may still take a while: time for an earcon)."""

    at: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One finished utterance. `text` from the open recogniser (lower case, no punctuation); `closed` from the closed one,
    None where the ear has none or it heard nothing of its vocabulary. Confidences 0 to 1.
    """

    began: float
    ended: float  # last sound
    decided: float  # endpoint
    text: str = field(repr=False)
    closed: str | None = field(default=None, repr=False)
    confidence: float = 1.0
    closed_confidence: float = 0.0
    prosody: Prosody | None = None


@dataclass(frozen=True, slots=True)
class EarLost:
    """The recogniser's process died or hung and is being restarted; `detail` is technical, never words that were said."""

    detail: str


EarEvent = Union[SpeechStarted, SpeechEnded, Utterance, EarLost]


class Ear(Protocol):
    """Hears: echo canceller, VAD, endpoint and recogniser behind one door. Methods are called from one thread."""

    name: str  # "vosk" or "whisper"

    def open(self, on_event: Callable[[EarEvent], None]) -> None:
        """Load the model (in a supervised child process). `on_event` may be called from another thread.

        Raises ModelError with a hint."""

    def expect(self, expectation: Expectation) -> None:
        """What is hoped for from the next utterance on; never cuts the one under way."""

    def feed(self, frame: Samples, reference: Samples | None = None) -> None:
        """One frame of FRAME samples at EAR_RATE, and what we were playing during it (None: nothing). Never blocks long."""

    def settle(self) -> None:
        """Block until everything fed so far is answered: for recordings that run faster than real time."""

    def close(self) -> None:
        """Stop the process; safe to call twice."""


class Playback(Protocol):
    """One stream, always open. Plays clips in order; can fall silent within a block."""

    def open(self) -> None:
        """Raises DeviceError with a hint."""

    def play(self, clip: Clip, on_end: Callable[[float, bool], None]) -> None:
        """Queue a clip; `on_end(seconds really played, complete)` is called (other thread) when it has been *heard*."""

    def hush(self) -> None:
        """Drop all that is queued with a 5 ms fade; every pending `on_end` is called with complete=False."""

    def reference(self, samples: int) -> Samples:
        """What was played (at EAR_RATE) during the last `samples` samples not yet asked for; zeros when nothing was."""

    def close(self) -> None:
        """Safe to call twice."""


class Microphone(Protocol):
    """Delivers FRAME-sized frames at EAR_RATE whatever the device's own rate is."""

    def open(self, on_frame: Callable[[Samples], None], on_trouble: Callable[[str], None]) -> None:
        """`on_frame` is called from the device's thread and must return at once. Raises DeviceError with a hint.

        `on_trouble` is told codes such as "microphone_lost", "microphone_back", "microphone_silent"."""

    def close(self) -> None:
        """Safe to call twice."""

"""What the world tells a session. Facts in the past tense; frozen; a closed union.

`Heard.text` is what a partner said: it is never shown by `repr` and never saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

Slot = Union[str, int, float]


@dataclass(frozen=True, slots=True)
class Cue:
    """One sign, in words or voice. `kind` such as `flooding.body`; `confidence` 0 to 1; `family` is "words" or "voice"."""

    kind: str
    confidence: float
    family: str = "words"


@dataclass(frozen=True, slots=True)
class Began:
    """The process started (or started again). `clock_trusted` is False when wall time may have jumped since the last save."""

    clock_trusted: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """A finished utterance, understood. `intent` is an id of the contract; `seconds` its length."""

    intent: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    cues: tuple[Cue, ...] = ()
    confidence: float = 1.0
    seconds: float = 0.0
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody began to speak: no-input clocks must not fire into their sentence."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A prompt ended: `number` is that of its `Say`; `complete` is False when it was hushed; `seconds` really played."""

    number: int
    seconds: float
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """The named clock of the session ran out (its time is not later than `now`)."""

    clock: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A part (`ear`, `voice`, `store`, …) failed; the session goes on with what is left."""

    part: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """A part that had failed works again."""

    part: str


Event = Union[Began, Heard, SpeechBegan, Spoken, Due, Failed, Recovered]

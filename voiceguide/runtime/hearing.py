"""Between ear and guide: expectations go down, events come up on the loop's thread.

Owns no thread: the ear calls from its own, and everything is posted to the timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from voiceguide.core.effects import Patience
from voiceguide.runtime.guide import Guide
from voiceguide.runtime.ports import Ear, EarEvent, EarLost, Expectation, SpeechEnded, SpeechStarted, Utterance
from voiceguide.runtime.timeline import Timeline

Expecting = Callable[[str, Patience, bool], Expectation]


class Chimes(Protocol):
    """The part of the mouth that shows that something was heard."""

    def chime(self, earcon: str) -> None:
        """Play an earcon."""

    def speaking(self) -> bool:
        """Whether the guide speaks."""


class Hearing:
    """Wires one ear to one guide. The ear may be opened before there is a guide: what it hears until then is nobody's."""

    def __init__(self, ear: Ear, timeline: Timeline) -> None:
        self._ear, self._timeline = ear, timeline
        self._expecting: Expecting | None = None
        self._guide: Guide | None = None
        self._chimes: Chimes | None = None
        self._asking = False

    def open(self) -> None:
        """Open the ear. Raises ModelError."""
        self._ear.open(lambda event: self._timeline.post(lambda: self._happened(event)))

    def attach(self, guide: Guide, chimes: Chimes, expecting: Expecting) -> None:
        """From now on the guide is told; `expecting` turns what it hopes for into what the ear needs."""
        self._guide, self._chimes, self._expecting = guide, chimes, expecting

    def expect(self, expected: str, patience: Patience, patient: bool) -> None:
        """The guide hopes for something else from now on."""
        self._asking = expected not in ("resting", "paused", "closed", "talk")
        if self._expecting is not None:
            self._ear.expect(self._expecting(expected, patience, patient))

    def _happened(self, event: EarEvent) -> None:
        guide = self._guide
        if guide is None:
            return
        match event:
            case SpeechStarted():
                guide.speech_began()
            case SpeechEnded():
                if self._asking and self._chimes is not None and not self._chimes.speaking():
                    self._chimes.chime("heard")  # recognition may take a while: a sign within 0.3 s that we are on it
            case Utterance():
                guide.utterance(event.text, event.ended - event.began, event.closed, event.prosody)
            case EarLost():
                guide.failed("ear", event.detail)

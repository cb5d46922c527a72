"""What both ears share: `Listening` runs in a supervised child; frames go in over a pipe, events come out."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

import numpy as np

from voiceguide.errors import ModelError
from voiceguide.runtime.listening import Listening, Recogniser
from voiceguide.runtime.ports import EAR_RATE, EarLost, Expectation
from voiceguide.runtime.prosody import measure
from voiceguide.runtime.supervisor import Worker, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from voiceguide.runtime.child import Handler, Tell
    from voiceguide.runtime.ports import EarEvent, Prosody, Samples

HANG_SECONDS = 20.0  # a slow board may think for seconds about 20 s of speech; what lasts longer has hung
_SETTLE_SECONDS = 120.0

Request = tuple[str, object, object]


class ChildEar:
    """An `Ear` whose recogniser is made by `build(*arguments)` in the child. Subclasses check the model first."""

    name = ""

    def __init__(self, build: Callable[..., Recogniser], arguments: tuple[object, ...], *, hint: str) -> None:
        """`hint`: what to do when the model turns out to be unusable."""
        self._worker = Worker(self.name, serve_listening, (build, arguments), hang_seconds=HANG_SECONDS)
        self._hint = hint
        self._expectation = Expectation("")
        self._fed = 0

    def open(self, on_event: Callable[[EarEvent], None]) -> None:
        """Load the model. Raises ModelError."""
        try:
            self._worker.start(
                on_reply=lambda event: on_event(cast("EarEvent", event)),
                on_lost=lambda detail: on_event(EarLost(detail)),
                on_back=self._back,
            )
        except WorkerLost as lost:
            # The engine's message may name an address or a C++ line: it helps nobody in a kitchen.
            raise ModelError("model_broken", f"The {self.name} model cannot be loaded", hint=self._hint) from lost
        self._back()

    def expect(self, expectation: Expectation) -> None:
        """From the next utterance on."""
        self._expectation = expectation
        self._worker.post(("expect", expectation, None))

    def feed(self, frame: Samples, reference: Samples | None = None) -> None:
        """One frame and what was played during it. Never blocks: a thread of the worker sends it."""
        self._fed += len(frame)
        self._worker.post(("feed", frame.tobytes(), reference.tobytes() if reference is not None else None))

    def settle(self) -> None:
        """Returns when all that was fed has been answered (or the child was lost: EarLost has told)."""
        try:
            self._worker.call(("settle", None, None), _SETTLE_SECONDS)
        except WorkerLost:
            return

    def close(self) -> None:
        """Safe to call twice."""
        self._worker.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, for `doctor` and tests of the supervision."""
        return self._worker.pid

    def _back(self) -> None:
        self._worker.post(("resume", self._fed, None))
        self._worker.post(("expect", self._expectation, None))


def serve_listening(build: Callable[..., Recogniser], arguments: tuple[object, ...]) -> Handler:
    """The child's side: everything is loaded and warm when this returns."""
    from voiceguide.adapters.echo import EchoCanceller
    from voiceguide.adapters.vad import SileroVad

    listening = Listening(build(*arguments), SileroVad(), EchoCanceller(), _measure())

    def handle(request: object, tell: Tell) -> None:
        kind, first, second = cast("Request", request)
        if kind == "feed":
            frame = np.frombuffer(cast("bytes", first), np.int16)
            reference = None if second is None else np.frombuffer(cast("bytes", second), np.int16)
            for event in listening.feed(frame, reference):
                tell(event)
        elif kind == "expect":
            listening.expect(cast("Expectation", first))
        elif kind == "resume":
            listening.resume(cast("int", first))

    return handle


def _measure() -> Callable[[Samples], Prosody]:
    """With pitch where its package is installed; loaded and tried once, so that the first utterance does not wait."""
    from voiceguide.adapters.pitch import SwiftPitch

    second = np.zeros(EAR_RATE, np.int16)
    with_pitch = functools.partial(measure, track=SwiftPitch())
    try:
        with_pitch(second + (np.arange(EAR_RATE) % 100).astype(np.int16) * 50)
    except ImportError:
        return measure
    return with_pitch

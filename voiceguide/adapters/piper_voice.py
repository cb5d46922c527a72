"""A natural voice (Piper), for those who want it and have the processor: an extra, because Piper is GPL and heavy.

It lives in a child of its own. A sentence that takes too long is spoken by the spare voice, and the child is *not* killed
for it: loading the model again would cost more than the sentence. Only one that says nothing for long is taken for hung.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from typing_extensions import Self

from voiceguide.adapters.pyttsx3_voice import Pyttsx3Voice
from voiceguide.errors import ModelError, VoiceError
from voiceguide.runtime import models
from voiceguide.runtime.child import Build
from voiceguide.runtime.ports import Clip, Manner, Voice
from voiceguide.runtime.shaping import even, joined, sentences
from voiceguide.runtime.supervisor import Worker, WorkerLost

LOAD_LIMIT = 60.0  # seconds (2.2 to 4.1 s measured on a free machine, 25 s on a busy one)
SENTENCE_LIMIT = 3.0  # seconds: 0.2 to 0.5 measured; then the spare speaks
HANG_LIMIT = 30.0
INSTALL_HINT = "install it with: pip install 'voiceguide[piper]', or use --voice pyttsx3"
DEFAULT_MODEL = "piper-joe"  # of models.toml
# Piper has no idea of words a minute. Measured on prompts of ours: a word takes so many seconds at length scale 1, and the
# pauses between sentences add their share, which no scale changes.
WORD_SECONDS = {"en_US-joe-medium": 0.195}
WORD_SECONDS_ELSE = 0.23
PAUSE_SECONDS = 0.074
SCALES = (0.5, 2.5)  # beyond these it gabbles or falls apart

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    number: int
    text: str = field(repr=False)
    scale: float
    until: float  # monotonic seconds, the same clock in parent and child: after it nobody waits any more


@dataclass(frozen=True, slots=True)
class _Made:
    number: int
    data: bytes = field(repr=False)
    rate: int


@dataclass(slots=True)
class _Order:
    done: threading.Event = field(default_factory=threading.Event)
    made: _Made | None = None


def build(model: str) -> Callable[[object, object], object]:
    """In the child: load the model and warm it. Raises VoiceError without Piper, ModelError with a broken model."""
    try:
        from piper import PiperVoice as Engine
        from piper import SynthesisConfig
    except ImportError:
        raise VoiceError("no_piper", "Piper is not installed", hint=INSTALL_HINT) from None
    try:
        engine = Engine.load(model)
    except Exception:  # noqa: BLE001 - a border: whatever onnxruntime and the JSON beside the model raise
        what = f"The voice model {Path(model).name} cannot be read"
        raise ModelError("broken_voice_model", what, hint="scripts/fetch-models piper-joe") from None

    def handle(request: object, _tell: object) -> object:
        assert isinstance(request, _Wanted)
        if time.monotonic() > request.until:
            return None  # or one late sentence would make all that follow late
        chunks = list(engine.synthesize(request.text, SynthesisConfig(length_scale=request.scale)))
        data = b"".join(chunk.audio_int16_bytes for chunk in chunks)
        return _Made(request.number, data, int(engine.config.sample_rate))

    handle(_Wanted(0, "1", 1.0, math.inf), None)  # the first sentence of a fresh model takes twice as long
    return handle


class PiperVoice:
    """Implements ports.Voice. `name` holds the model's, so that cached prompts of two models are never mixed."""

    def __init__(self, model: Path | None = None, spare: Voice | None = None, build: Build = build) -> None:
        """`model`: the .onnx file or its folder; None the one of models.toml. `spare`: speaks when this one is late."""
        self.name = "piper"
        self._model, self._build = model, build
        self._spare: Voice = Pyttsx3Voice() if spare is None else spare
        self._spare_open = False
        self._worker: Worker | None = None
        self._numbers = itertools.count(1)
        self._orders: dict[int, _Order] = {}
        self._word_seconds = WORD_SECONDS_ELSE

    def open(self) -> None:
        """Load the model (seconds). Raises VoiceError or ModelError with a hint."""
        if self._worker is not None:
            return
        model = _onnx(self._model or models.require(DEFAULT_MODEL))
        self.name, self._word_seconds = f"piper-{model.stem}", WORD_SECONDS.get(model.stem, WORD_SECONDS_ELSE)
        worker = Worker("piper", self._build, (str(model),), hang_seconds=HANG_LIMIT)
        try:
            worker.start(self._arrived, self._lost, within_seconds=LOAD_LIMIT)
        except WorkerLost as trouble:
            _log.warning("piper did not start: %s", trouble)
            raise VoiceError("no_piper", "Piper did not start", hint=INSTALL_HINT) from None
        self._worker = worker

    def render(self, text: str, manner: Manner) -> Clip:
        """One prompt, sentences 0.3 s apart. Raises VoiceError; the spare voice takes over what takes longer than 3 s."""
        wanted = (60.0 / max(1, manner.words_per_minute) - PAUSE_SECONDS) / self._word_seconds
        scale = max(SCALES[0], min(SCALES[1], wanted))
        until = time.monotonic() + SENTENCE_LIMIT
        clips = []
        for sentence in sentences(text):
            made = self._ordered(sentence, scale, until)
            if made is None:
                _log.warning("piper is late: the spare voice speaks")
                return self._by_spare(text, manner)
            clips.append(even(Clip(np.frombuffer(made.data, "<i2").astype(np.int16), made.rate), manner.volume))
        return joined(clips)

    def close(self) -> None:
        """End the child; safe to call twice."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        if self._spare_open:
            self._spare.close()
            self._spare_open = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ordered(self, sentence: str, scale: float, until: float) -> _Made | None:
        worker, number, order = self._worker, next(self._numbers), _Order()
        self._orders[number] = order
        try:
            if worker is None or not worker.post(_Wanted(number, sentence, scale, until)):
                return None
            order.done.wait(max(0.0, until - time.monotonic()))
            return order.made
        finally:
            self._orders.pop(number, None)

    def _by_spare(self, text: str, manner: Manner) -> Clip:
        if not self._spare_open:
            self._spare.open()
            self._spare_open = True
        clip = self._spare.render(text, Manner(manner.language, "", manner.words_per_minute, manner.volume))
        return Clip(clip.samples, clip.rate, lasting=False)

    def _arrived(self, reply: object) -> None:
        if isinstance(reply, _Made) and (order := self._orders.get(reply.number)) is not None:
            order.made = reply
            order.done.set()

    def _lost(self, detail: str) -> None:
        _log.warning("%s", detail)
        for order in list(self._orders.values()):
            order.done.set()


def _onnx(place: Path) -> Path:
    if place.suffix == ".onnx" and place.is_file():
        return place
    found = sorted(place.glob("*.onnx")) if place.is_dir() else []
    if not found:
        raise ModelError("no_voice_model", f"There is no Piper model in {place.name}", hint="scripts/fetch-models piper-joe")
    return found[0]

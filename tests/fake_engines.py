"""Engines for the child's side of a voice, with the faults that real ones have. Module-level: a child must find them."""

from __future__ import annotations

import io
import os
import threading
import wave
from collections.abc import Callable

import numpy as np

from voiceguide.adapters.pyttsx3_engine import KnownVoice, SentenceWanted
from voiceguide.errors import VoiceError

VOICES = (
    KnownVoice("gmw/en-us", "English", ("en-us",)),
    KnownVoice("gmw/en", "English", ("en-gb",)),
    KnownVoice("koreanic/ko", "Korean", ("ko",)),
)
Handler = Callable[[object, object], object]


def tone(seconds: float, rate: int = 22_050) -> bytes:
    """A WAV file with half a second of silence on both sides."""
    sound = 6000 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate)) / rate)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.pad(sound, rate // 2).astype("<i2").tobytes())
    return file.getvalue()


def steady(_directory: str) -> Handler:
    """One second per sentence; the rate it was given is in the length of a sentence that asks "rate"."""

    def handle(request: object, _tell: object) -> object:
        if not isinstance(request, SentenceWanted):
            return VOICES
        return tone(request.rate / 100 if request.text.startswith("rate") else 1.0)

    return handle


def hangs_once(directory: str) -> Handler:
    """The first child hangs at its first sentence; the next one works."""
    mark = os.path.join(directory, "hung")  # noqa: PTH118 - light, as in a real engine's child

    def handle(request: object, tell: object) -> object:
        if isinstance(request, SentenceWanted) and not os.path.exists(mark):  # noqa: PTH110
            open(mark, "w").close()  # noqa: PTH123
            threading.Event().wait(60)
        return steady(directory)(request, tell)

    return handle


def dies(directory: str) -> Handler:
    """Every sentence ends the process, as an abort in C would."""

    def handle(request: object, tell: object) -> object:
        if isinstance(request, SentenceWanted):
            os.abort()
        return steady(directory)(request, tell)

    return handle


def empty(directory: str) -> Handler:
    """Answers with a file that holds no sample."""

    def handle(request: object, tell: object) -> object:
        return tone(0)[:44] if isinstance(request, SentenceWanted) else steady(directory)(request, tell)

    return handle


def absent(_directory: str) -> Handler:
    """Cannot be built."""
    raise VoiceError("no_engine", "The voice engine did not start")

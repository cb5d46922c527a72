"""pyttsx3 as a mere synthesiser, inside a supervised child: text in, the bytes of a sound file out, nothing else.

Its own playing cannot be stopped (measured: 3.3 s more), `say` after `save_to_file` is silent, `runAndWait` may return
before the file is written (1 of 120), and it may hang: so it only ever saves, and the child may be killed at any moment.
Imports nothing heavy: a killed child must be back within a second.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceguide.errors import VoiceError

FILE_LIMIT = 0.3  # seconds for the file to be finished after the engine said so
SET_LIMIT, SET_AGAIN = 0.2, 0.02  # seconds in which a property must be taken, and after which it is set once more
_HARMFUL = ("PULSE_LATENCY_MSEC",)  # made the engine's own player hang for ever (measured)
_HEADER = 44  # bytes of a RIFF file without a sample


@dataclass(frozen=True, slots=True)
class VoicesWanted:
    """Asks for every voice of the engine; the answer is a tuple of KnownVoice."""


@dataclass(frozen=True, slots=True)
class SentenceWanted:
    """Asks for one sentence as the bytes of a sound file. `voice` is the engine's id, `rate` the engine's own number."""

    text: str = field(repr=False)
    voice: str
    rate: int
    pitch: int | None = None


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """One voice of an engine, for `doctor` and the settings."""

    id: str
    name: str
    languages: tuple[str, ...]


def build(directory: str) -> Callable[[object, object], object]:
    """In the child: start the engine. `directory`: private, for systems where the sound must pass through a file.

    Raises VoiceError when pyttsx3 or what it needs is missing.
    """
    for name in _HARMFUL:
        os.environ.pop(name, None)
    try:
        import pyttsx3

        engine = pyttsx3.init()
    except Exception as trouble:  # noqa: BLE001 - a border: every driver raises its own; nothing has been said yet
        raise VoiceError("no_engine", f"The voice engine did not start ({type(trouble).__name__})") from None
    saver = _Saver(engine, directory)
    saver.warm()

    def handle(request: object, _tell: object) -> object:
        if isinstance(request, SentenceWanted):
            return saver.save(request)
        return _voices(engine)

    return handle


def _voices(engine: Any) -> tuple[KnownVoice, ...]:
    found = []
    for voice in engine.getProperty("voices"):
        spoken = tuple(
            (tag.decode("ascii", "ignore") if isinstance(tag, bytes) else str(tag)).strip("\x00\x05").lower().replace("_", "-")
            for tag in voice.languages or ()
        )
        found.append(KnownVoice(str(voice.id), str(voice.name), spoken))
    return tuple(found)


class _Saver:
    """One engine and what it is set to."""

    def __init__(self, engine: Any, directory: str) -> None:
        self._engine, self._directory = engine, directory
        self._set: dict[str, object] = {}

    def warm(self) -> None:
        """One word into nothing: until its first run pyttsx3 only queues properties, and would set them too late."""
        with contextlib.suppress(Exception):  # an engine that cannot speak shows it at the first sentence, with a limit
            self._attempt("1")

    def save(self, wanted: SentenceWanted) -> bytes:
        """The bytes of a finished file. An engine that wrote nothing twice ends the process: its late sound would otherwise
        be taken for the next sentence.
        """
        self._adjust("voice", wanted.voice)
        self._adjust("rate", wanted.rate)
        if wanted.pitch is not None:
            self._adjust("pitch", wanted.pitch)
        for _ in range(2):
            data = self._attempt(wanted.text)
            if data:
                return data
        os._exit(1)

    def _adjust(self, name: str, value: object) -> None:
        """Set it until it is seen to be set: espeak takes a property in its own time and loses some altogether (14% of those
        set right before a sentence were ignored, measured), and a voice may bring its own rate.
        """
        if not value or self._set.get(name) == value:
            return
        until = time.monotonic() + SET_LIMIT
        while time.monotonic() < until:
            self._engine.setProperty(name, value)
            again = time.monotonic() + SET_AGAIN
            while time.monotonic() < again:
                if _same(self._engine.getProperty(name), value):
                    if name == "voice":
                        self._set.clear()
                    self._set[name] = value
                    return
                time.sleep(0.002)

    def _attempt(self, text: str) -> bytes:
        with _place(self._directory) as path:
            self._engine.save_to_file(text, str(path))
            self._engine.runAndWait()
            limit = time.monotonic() + FILE_LIMIT
            while not _finished(data := path.read_bytes() if path.exists() else b""):
                if time.monotonic() > limit:
                    return b""
                time.sleep(0.01)
            return data


def _same(found: object, value: object) -> bool:
    """A variant of espeak ("gmw/en-us+f3") is answered by its base; ids differ in case."""
    return found == value or str(found).partition("+")[0].casefold() == str(value).partition("+")[0].casefold()


@contextlib.contextmanager
def _place(directory: str) -> Iterator[Path]:
    """Where to save: in memory on Linux, because a dictated promise must not touch the disk; else a file that goes at once."""
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        handle = os.memfd_create("sentence")
        try:
            yield Path(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)
        return
    suffix = ".aiff" if sys.platform == "darwin" else ".wav"
    handle, name = tempfile.mkstemp(suffix=suffix, dir=directory)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()


def _finished(data: bytes) -> bool:
    """A header whose length is that of the file, and at least one sample."""
    if len(data) <= _HEADER:
        return False
    if data[:4] == b"RIFF":
        return int.from_bytes(data[4:8], "little") == len(data) - 8
    return data[:4] == b"FORM" and int.from_bytes(data[4:8], "big") <= len(data) - 8

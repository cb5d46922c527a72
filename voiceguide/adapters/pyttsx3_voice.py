"""The default voice: pyttsx3 in a supervised child, the system's own tool when that fails, an honest pace, a steady level.

A sentence that hangs costs two seconds and a child; it never costs the guide its voice.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable

from typing_extensions import Self

from voiceguide.adapters import pyttsx3_engine as engine
from voiceguide.adapters.platform_voice import PlatformVoice, platform_voice
from voiceguide.adapters.pyttsx3_engine import KnownVoice, SentenceWanted, VoicesWanted
from voiceguide.adapters.rendered_file import decode
from voiceguide.errors import VoiceError
from voiceguide.runtime.child import Build
from voiceguide.runtime.ports import Clip, Manner
from voiceguide.runtime.shaping import even, joined, sentences
from voiceguide.runtime.supervisor import Worker, WorkerLost

RENDER_LIMIT = 5.0  # seconds for a whole prompt, faults included (the port's promise)
FIRST_LIMIT, SECOND_LIMIT, TOOL_LIMIT = 2.0, 1.0, 1.0  # seconds: the engine, the engine again, the system's tool
RETURN_LIMIT = 0.9  # seconds in which a killed child should be back
INSTALL_HINT = "install espeak-ng (Debian, Ubuntu: apt-get install espeak-ng), then: voiceguide doctor"

# Best first; the first that the engine has is taken. espeak's was chosen of 16 by what whisper tiny.en understands of it: word
# errors on 20 prompts 8.9%, with noise at 8 dB 32% (the plain en-us voice 11.7% and 35%; m3 and Denis are its equals).
PREFERRED = {
    "en": ("gmw/en-us+f3", "com.apple.voice.compact.en-US.Samantha", "com.apple.speech.synthesis.voice.samantha"),
    "ko": ("ko", "koreanic/ko"),
}
CALM_PITCH = 42  # espeak's own default of 50 sounds eager
# espeak's number is not what is heard (measured: 150 sounded as 181): words a minute = SLOPE x number + BASE for prompts of ours.
ESPEAK_SLOPE, ESPEAK_BASE = 1.10, 12.5
ESPEAK_RATES = (80, 400)

_log = logging.getLogger(__name__)


class Pyttsx3Voice:
    """Implements ports.Voice. `render` may be called from any thread; one sentence is rendered at a time."""

    name = "pyttsx3"

    def __init__(
        self, build: Build = engine.build, tool: Callable[[], PlatformVoice | None] = platform_voice
    ) -> None:
        """`build` and `tool` are for tests that plant faults."""
        self._build, self._find_tool = build, tool
        self._worker: Worker | None = None
        self._tool: PlatformVoice | None = None
        self._voices: tuple[KnownVoice, ...] = ()
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> None:
        """Start the engine. Raises VoiceError with a hint when there is neither an engine nor a speaking tool."""
        if self._directory is not None:
            return
        self._tool = self._find_tool()
        self._directory = tempfile.TemporaryDirectory(prefix="voiceguide-voice-")
        worker = Worker(self.name, self._build, (self._directory.name,), hang_seconds=FIRST_LIMIT * 2)
        try:
            worker.start(within_seconds=20.0)
            self._worker = worker
            self._voices = _as_voices(worker.call(VoicesWanted(), 5.0))
        except (WorkerLost, VoiceError) as trouble:
            if self._tool is None:
                self.close()
                raise VoiceError("no_voice", "There is no voice on this machine", hint=INSTALL_HINT) from None
            _log.warning("the voice engine did not start (%s); using the system's speaking tool", trouble)

    def voices(self) -> tuple[KnownVoice, ...]:
        """Every voice of the engine (after `open`)."""
        return self._voices

    def knows(self, voice: str) -> bool:
        """Whether `voice` can be had; a variant of espeak ("gmw/en-us+f3") counts by its base."""
        return voice.partition("+")[0].casefold() in {known.id.casefold() for known in self._voices}

    def render(self, text: str, manner: Manner) -> Clip:
        """One prompt, sentences 0.3 s apart. Raises VoiceError; never takes longer than 5 s."""
        until = time.monotonic() + RENDER_LIMIT
        voice = self.chosen(manner)
        espeak = self._is_espeak(voice)
        rate = _engine_rate(manner.words_per_minute) if espeak else manner.words_per_minute
        pitch = CALM_PITCH if espeak else None
        wanted = [SentenceWanted(sentence, voice, rate, pitch) for sentence in sentences(text)]
        return joined([even(self._sentence(one, until), manner.volume) for one in wanted])

    def close(self) -> None:
        """End the child; safe to call twice."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        directory, self._directory = self._directory, None
        if directory is not None:
            directory.cleanup()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sentence(self, wanted: SentenceWanted, until: float) -> Clip:
        for limit in (FIRST_LIMIT, SECOND_LIMIT):
            worker = self._worker
            left = until - time.monotonic() - TOOL_LIMIT
            if worker is None or left <= 0 or not _returned(worker, min(RETURN_LIMIT, left)):
                break
            try:
                data = worker.call(wanted, min(limit, left))
                if isinstance(data, bytes):
                    return decode(data)
            except (WorkerLost, VoiceError, ValueError) as trouble:
                _log.warning("a sentence was not rendered: %s", trouble)
        if self._tool is None:
            raise VoiceError("no_voice", "No sentence could be spoken", hint="voiceguide doctor tells why")
        left = min(TOOL_LIMIT, until - time.monotonic())
        return self._tool.render(wanted.text, wanted.voice, wanted.rate, wanted.pitch, left)

    def chosen(self, manner: Manner) -> str:
        """The engine's id: what was asked for, else the best of the language, else one of it, else the engine's own."""
        if manner.voice and (self.knows(manner.voice) or not self._voices):
            return manner.voice
        for wanted in PREFERRED.get(manner.language, ()):
            if self.knows(wanted):
                return wanted
        for known in self._voices:
            if any(tag.partition("-")[0] == manner.language for tag in known.languages):
                return known.id
        return "" if self._voices else manner.language

    def _is_espeak(self, voice: str) -> bool:
        """Espeak's ids are paths of its data files; without an engine the tool tells."""
        if self._voices:
            return "/" in voice or not any("." in known.id or "\\" in known.id for known in self._voices)
        return self._tool is not None and "espeak" in self._tool.program


def _returned(worker: Worker, seconds: float) -> bool:
    """Wait a little for a child that is being restarted."""
    until = time.monotonic() + seconds
    while not worker.alive and time.monotonic() < until:
        time.sleep(0.02)
    return worker.alive


def _engine_rate(words_per_minute: int) -> int:
    low, high = ESPEAK_RATES
    return max(low, min(high, round((words_per_minute - ESPEAK_BASE) / ESPEAK_SLOPE)))


def _as_voices(value: object) -> tuple[KnownVoice, ...]:
    return tuple(one for one in value if isinstance(one, KnownVoice)) if isinstance(value, tuple) else ()

"""The ear of a name: the one place that knows which adapters hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voiceguide.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from voiceguide.runtime.ports import Ear


def make_ear(engine: str, folder: str | Path, language: str = "en") -> Ear:
    """An unopened ear: `engine` is "vosk" or "whisper", `folder` its model, `language` what it must hear. UsageError."""
    if engine == "vosk":
        from voiceguide.adapters.vosk_ear import VoskEar
        from voiceguide.language.pack import Pack

        # A model hears the words of its own language only; where there is no pack, there is nothing to compare it with.
        words = Pack.load(language).known_words if language in Pack.languages() else ()
        return VoskEar(folder, words)
    if engine == "whisper":
        from voiceguide.adapters.whisper_ear import WhisperEar

        return WhisperEar(folder, language)
    raise UsageError("unknown_ear", f"There is no ear named {engine}", hint="Known: vosk, whisper")

"""The system's own speaking tool, for the moment in which the engine in its child process fails: slower to start, sturdier.

The text goes in on standard input (a command line can be read by every other user) and, where the tool can, the sound
comes out on standard output (nothing on the disk).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from voiceguide.errors import VoiceError
from voiceguide.runtime.ports import Clip

from .rendered_file import decode

_HARMFUL = ("PULSE_LATENCY_MSEC",)


@dataclass(frozen=True, slots=True)
class PlatformVoice:
    """`program`: espeak-ng, espeak or say, with its path."""

    program: str

    def render(self, text: str, voice: str, rate: int, pitch: int | None, seconds: float) -> Clip:
        """One sentence, as the tool speaks it. Raises VoiceError when it fails or takes longer than `seconds`."""
        try:
            if Path(self.program).name == "say":
                return decode(self._say(text, voice, rate, seconds))
            command = [self.program, "--stdin", "--stdout", "-s", str(rate)]
            command += ["-v", voice] if voice else []
            command += ["-p", str(pitch)] if pitch is not None else []
            return decode(_run(command, text, seconds))
        except (OSError, ValueError, subprocess.SubprocessError):
            # The causes hold the command, and a tool may print what it was given.
            raise VoiceError("no_voice", "No sentence could be spoken", hint="voiceguide doctor tells why") from None

    def _say(self, text: str, voice: str, rate: int, seconds: float) -> bytes:
        with tempfile.TemporaryDirectory(prefix="voiceguide-voice-") as directory:
            target = Path(directory) / "sentence.aiff"
            command = [self.program, "-o", str(target), "-r", str(rate), "-f", "-"]
            _run([*command, "-v", voice] if voice else command, text, seconds)
            return target.read_bytes()


def platform_voice() -> PlatformVoice | None:
    """The tool of this system, if it has one."""
    for name in ("espeak-ng", "say", "espeak"):
        if found := shutil.which(name):
            return PlatformVoice(found)
    return None


def _run(command: list[str], text: str, seconds: float) -> bytes:
    clean = {name: value for name, value in os.environ.items() if name not in _HARMFUL}
    done = subprocess.run(
        command, input=text.encode("utf-8"), capture_output=True, timeout=max(0.1, seconds), check=True, env=clean
    )
    return done.stdout

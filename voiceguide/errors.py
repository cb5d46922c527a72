"""Every expected trouble has a stable code, one sentence, and a hint that says what to do next.

Messages never hold what a partner said: raise `from None` where the cause could.
"""

from __future__ import annotations


class VoiceguideError(Exception):
    """Expected trouble. `exit_code` is what the command line answers with (design: 0, 2, 3, 4, 5)."""

    exit_code = 1

    def __init__(self, code: str, message: str = "", *, hint: str = "") -> None:
        self.code = code
        self.message = message or code.replace("_", " ")
        self.hint = hint
        end = "" if self.message.endswith((".", "?", "!")) else "."
        super().__init__(f"{self.message}{end} {hint}" if hint else self.message)


class UsageError(VoiceguideError):
    """The command or a settings file asks for something that does not exist."""

    exit_code = 2


class DeviceError(VoiceguideError):
    """A microphone, loudspeaker or sound file cannot be used."""

    exit_code = 3


class ModelError(VoiceguideError):
    """A recogniser's or voice's model is missing, broken or of another language."""

    exit_code = 3


class VoiceError(VoiceguideError):
    """The voice could not render a sentence."""

    exit_code = 3


class ContentError(VoiceguideError):
    """A plan or pack is broken; the message names file and key."""

    exit_code = 4


class StoreError(VoiceguideError):
    """What was agreed cannot be saved or read."""

    exit_code = 5

"""What a household has chosen, in one small file that can be read and mended by hand.

A missing file is no fault: everything has a default. A broken one stops the start with one sentence that names file, key and
line, because a guide that quietly forgets somebody's long patience is worse than one that says so.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import platformdirs

from voiceguide.errors import StoreError, UsageError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

FILE = "settings.toml"
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen; the command line may override each for one run."""

    language: str = "en"
    """The content pack."""
    ear: str = "auto"
    """Recogniser: auto (Vosk where its model is, else whisper), vosk or whisper."""
    voice: str = "pyttsx3"
    """Engine of the voice: pyttsx3 or piper."""
    voice_id: str = ""
    """The engine's own name of a voice; "" is its default for the language."""
    words_per_minute: int = 150
    """Speed of the voice, 60 to 400. 150: everyday speech, and what prompts are measured by."""
    volume: float = 0.7
    """Loudness of the voice, 0 to 1."""
    patient: bool = False
    """Twice as long a silence before an answer counts as finished, for people who stammer or search for words."""
    sensitivity: str = "normal"
    """How readily rising voices lead to a question: less, normal or more."""
    microphone: str = ""
    """Part of the device's name; "" is the system's choice."""
    loudspeaker: str = ""
    """Part of the device's name; "" is the system's choice."""
    captions: bool = False
    """Show on the terminal what is heard and said; nothing of it is kept."""
    echo: str = "auto"
    """Against hearing itself: auto, app, system, half-duplex or headset."""
    country: str = ""
    """Whose help lines are said, as an ISO code such as GB or KR; "" is where the machine seems to stand."""
    data_folder: str = ""
    """Where pauses and promises are kept; "" is the system's place for it."""

    @property
    def data(self) -> Path:
        """The folder of what must survive."""
        return Path(self.data_folder).expanduser() if self.data_folder else Path(platformdirs.user_data_dir("voiceguide"))


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "ear": ("auto", "vosk", "whisper"),
    "voice": ("pyttsx3", "piper"),
    "sensitivity": ("less", "normal", "more"),
    "echo": ("auto", "app", "system", "half-duplex", "headset"),
}
_RANGES: Mapping[str, tuple[float, float]] = {"words_per_minute": (60, 400), "volume": (0, 1)}
_SHAPES = {"language": ("-*[A-Za-z][A-Za-z-]*", "a short code such as en or ko"),
           "country": ("([A-Za-z]{2})?", "a code of two letters such as GB or KR")}
_KINDS = {"str": "text in quotes", "int": "a whole number", "float": "a number", "bool": "true or false"}


def settings_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the file lies: VOICEGUIDE_SETTINGS if set, else the system's folder for configuration."""
    chosen = environment.get("VOICEGUIDE_SETTINGS", "")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_config_dir("voiceguide")) / FILE


def load(file: Path | None = None) -> Settings:
    """Read the settings; defaults where there is no file. Raises UsageError naming file, key and line on a broken one."""
    file = file or settings_file()
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as cause:
        reason = "it is not text" if isinstance(cause, UnicodeDecodeError) else cause.strerror
        raise _broken(file, f"cannot be read ({reason})") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        where = str(cause).replace("at end of document", f"at line {len(text.splitlines())}, its end")
        raise _broken(file, f"cannot be understood: {where[:1].lower()}{where[1:]}") from None
    for key, value in table.items():
        if fault := _fault(key, value):
            raise _broken(file, f"line {_line_of(key, text)}: {fault}")
    return changed(Settings(), **table)


def changed(settings: Settings, **wanted: Value) -> Settings:
    """The settings with some keys replaced. Raises UsageError when a key or value is not one of ours."""
    for key, value in wanted.items():
        if fault := _fault(key, value):
            raise UsageError("bad_setting", fault, hint="see all with: voiceguide doctor")
    return replace(settings, **{key: _as_declared(key, value) for key, value in wanted.items()})  # type: ignore[arg-type]  # checked above


def save(settings: Settings, file: Path | None = None) -> None:
    """Write what differs from the defaults, whole or not at all. Raises StoreError when the folder cannot be written."""
    file = file or settings_file()
    plain = Settings()
    rows = [f"{field.name} = {_toml(getattr(settings, field.name))}\n" for field in fields(Settings)
            if getattr(settings, field.name) != getattr(plain, field.name)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_atomically(file, "".join(rows))
    except OSError as cause:
        raise StoreError("settings_not_saved", f"{file} cannot be written ({cause.strerror or cause})",
                         hint="free some space or give the folder to your user") from None


def _write_atomically(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        Path(name).replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _fault(key: str, value: object) -> str:
    """One sentence about what is wrong with a key and its value; "" when nothing is."""
    kinds = {field.name: str(field.type) for field in fields(Settings)}
    if key not in kinds:
        near = difflib.get_close_matches(key, kinds, n=1, cutoff=0.5)
        return f"there is no setting {key}" + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(kinds)}")
    if not _IS[kinds[key]](value):
        return f"{key} must be {_KINDS[kinds[key]]}, not {_toml(value)}"
    if key in _CHOICES and value not in _CHOICES[key]:
        return f"{key} must be one of {', '.join(_CHOICES[key])}, not {_toml(value)}"
    if key in _RANGES:
        low, high = _RANGES[key]
        if not low <= float(str(value)) <= high:
            return f"{key} must lie between {low:g} and {high:g}, not {value}"
    if key in _SHAPES and not re.fullmatch(_SHAPES[key][0], str(value)):
        return f"{key} must be {_SHAPES[key][1]}, not {_toml(value)}"
    return ""


_IS: Mapping[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
}


def _as_declared(key: str, value: Value) -> Value:
    return float(value) if isinstance(getattr(Settings(), key), float) else value


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value)  # a JSON string is a TOML basic string
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line_of(key: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().lstrip("[").strip("\"' \t]").startswith(key) or line.strip().startswith(f'"{key}"'):
            return number
    return 1


def _broken(file: Path, what: str) -> UsageError:
    return UsageError("broken_settings", f"the settings file {file} {what}" if what.startswith("cannot") else
                      f"the settings file {file}, {what}", hint="mend that line, or remove the file to start with the defaults")

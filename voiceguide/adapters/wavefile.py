"""Recordings come in whatever they are: any rate, depth and number of channels become mono int16 at the ear's rate.

Reads WAV (and what else libsndfile knows). Trouble is one sentence, never a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voiceguide.adapters.resample import resample_floats
from voiceguide.errors import ContentError, DeviceError
from voiceguide.runtime.ports import EAR_RATE

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

if TYPE_CHECKING:
    from voiceguide.runtime.ports import Samples

PARTS = "parts.toml"
LONGEST_HOURS = 6.0  # a longer file is a mistake, and would be read into memory whole
LONGEST_WAIT = 31 * 86_400.0  # seconds until a part: check-ins come weeks after their talk
_HINT = "Give a WAV file with speech in it"
_EXAMPLE = 'Write for each piece of sound three lines: [[part]], file = "01.wav", after = 1.5'
_TIMES = f"Write at = 2.0 (from the start) or after = 1.5 (after the guide has spoken), at most {LONGEST_WAIT / 86_400:.0f} days"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A piece of a recording. Exactly one is set: `at`, seconds from the start; or `after`, seconds of quiet after the
    guide has finished its last sentence.
    """

    samples: Samples
    name: str
    at: float | None = None
    after: float | None = None

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / EAR_RATE


def read(path: str | Path) -> Samples:
    """Mono int16 at EAR_RATE; of several channels the loudest. Raises DeviceError: missing, empty, cut off, no sound file."""
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise DeviceError("recording_missing", f"There is no recording {path.name}", hint=_HINT)
    if path.stat().st_size == 0:
        raise DeviceError("recording_empty", f"The recording {path.name} is empty", hint=_HINT)
    try:
        with soundfile.SoundFile(path) as file:
            promised, rate = file.frames, file.samplerate
            if promised > LONGEST_HOURS * 3600 * rate:
                longest = f"is longer than {LONGEST_HOURS:.0f} hours"
                raise DeviceError("recording_too_long", f"The recording {path.name} {longest}", hint="Cut it into shorter ones")
            sound = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as trouble:
        raise DeviceError("recording_unreadable", f"{path.name} is not a sound file that can be read", hint=_HINT) from trouble
    if not len(sound):
        raise DeviceError("recording_empty", f"The recording {path.name} holds no sound", hint=_HINT)
    if len(sound) < promised or _cut_off(path):
        raise DeviceError("recording_cut_off", f"The recording {path.name} is cut off", hint="Copy it again from its source")
    return _mono(sound, rate)


def _cut_off(path: Path) -> bool:
    """Does a RIFF file end before the end that its header promises? libsndfile silently takes what there is."""
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return False
        end = path.stat().st_size
        while len(chunk := file.read(8)) == 8:
            size = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                # Streaming recorders leave 0 or the largest number: they promise nothing.
                return size < 0x7FFF_F000 and file.tell() + size > end
            file.seek(size + size % 2, 1)
    return False


def _mono(sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rate: int) -> Samples:
    # The loudest, not the mean: two microphones far apart cancel each other, and one channel is often silent.
    channel = sound[:, int(np.argmax((sound.astype(np.float64) ** 2).sum(axis=0)))] if sound.shape[1] > 1 else sound[:, 0]
    channel = np.nan_to_num(channel, nan=0.0, posinf=1.0, neginf=-1.0)
    channel = resample_floats(channel, rate, EAR_RATE)
    return np.asarray(np.clip(np.rint(channel * 32768.0), -32768, 32767), dtype=np.int16)


def read_parts(folder: str | Path) -> list[Part]:
    """The recording's parts as `parts.toml` in the folder lists them: `[[part]]` with `file` and `at` or `after` (seconds).

    Raises ContentError (parts.toml missing or wrong, naming the entry) and DeviceError (a sound file).
    """
    listing = Path(folder) / PARTS
    try:
        content = tomllib.loads(listing.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Give a WAV file, or a folder with one [[part]] for each piece of sound"
        raise ContentError("parts_missing", f"There is no {PARTS} in {Path(folder).name}", hint=hint) from None
    except (OSError, ValueError) as trouble:
        raise ContentError("parts_unreadable", f"{listing.name} cannot be read: {trouble}", hint=_EXAMPLE) from None
    entries = content.get("part")
    if not isinstance(entries, list) or not entries:
        raise ContentError("parts_empty", f"{listing.name} has no [[part]]", hint=_EXAMPLE)
    parts = [_part(Path(folder), number, entry) for number, entry in enumerate(entries, 1)]
    _check_order(parts)
    return parts


def _part(folder: Path, number: int, entry: object) -> Part:
    where = f"{PARTS}: part {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
        raise ContentError("part_without_file", f"{where} names no file", hint=_EXAMPLE)
    if unknown := set(entry) - {"file", "at", "after"}:
        raise ContentError("part_unknown_key", f"{where}: unknown key {min(unknown)}", hint="Known: file, at, after")
    times = {key: entry[key] for key in ("at", "after") if key in entry}
    if len(times) != 1:
        raise ContentError("part_without_time", f"{where} needs either at or after, in seconds", hint=_TIMES)
    ((key, seconds),) = times.items()
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= LONGEST_WAIT:
        raise ContentError("part_time", f"{where}: {key} is no number of seconds", hint=_TIMES)
    file = folder / entry["file"]
    if folder.resolve() not in file.resolve().parents:
        raise ContentError("part_outside", f"{where}: its file lies outside the folder", hint=f"Put it beside {PARTS}")
    return Part(read(file), entry["file"], **{key: float(seconds)})


def _check_order(parts: list[Part]) -> None:
    end = 0.0
    for number, part in enumerate(parts, 1):
        if part.at is not None:
            if part.at < end:
                hint = f"Let it begin at {end:.1f} or later, or give it after instead of at"
                raise ContentError("part_overlap", f"{PARTS}: part {number} begins before the one above it has ended", hint=hint)
            end = part.at + part.seconds

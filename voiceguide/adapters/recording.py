"""`--out`: one WAV with two aligned channels, left what the guide heard, right what it said.

The file is sound after every write, whatever kills us: samples first, then the header that counts them. What was said may
arrive later than what was heard at the same moment (a clip is known when it ends), so its channel is patched in place. A
long silence is a hole in the file and takes no disk. Above 4 GiB the header becomes RF64 (EBU Tech 3306).
"""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from typing_extensions import Self

from voiceguide.adapters.resample import resample
from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import EAR_RATE, Clip, Samples

WRITE_EVERY = EAR_RATE // 2  # frames: half a second may be lost to `kill -9`, no more
_FRAME_BYTES = 4
_HEADER_BYTES = 80  # RIFF, ds64 (or JUNK in its place), fmt, data
_LARGEST = 0xFFFFFFFF - _HEADER_BYTES
_HINT = "free some space or choose another place, then run again with --out"


class Recording:
    """Writes while the guide runs; never stops it: trouble is told once to `on_trouble`, then nothing more is written.

    `hear` moves time on; `say` puts a clip at a moment of that time (in the past, or ahead). Any thread may call.
    """

    def __init__(self, path: Path, on_trouble: Callable[[DeviceError], None] = lambda _: None) -> None:
        self.path = path
        self._on_trouble = on_trouble
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._waiting: list[Samples] = []  # stereo rows that are not written yet
        self._waiting_frames = 0
        self._begin = 0  # where `_waiting` begins, in frames
        self._end = 0  # frames that the header counts

    def open(self) -> None:
        """Start the file (an older one is replaced). Raises DeviceError with a hint when it cannot be written."""
        try:
            self._file = self.path.open("w+b", buffering=0)
            self._write_header()
        except OSError as trouble:
            raise DeviceError(
                "no_recording", f"{self.path} cannot be written ({trouble.strerror})", hint="choose another place with --out"
            ) from None

    @property
    def seconds(self) -> float:
        """How far it has come."""
        return (self._begin + self._waiting_frames) / EAR_RATE

    def hear(self, frame: Samples, said: Samples | None = None, at: float | None = None) -> None:
        """The next samples at EAR_RATE, and what was playing during them; `at` seconds, when time has jumped ahead."""
        row = np.zeros((len(frame), 2), "<i2")
        row[:, 0] = frame
        if said is not None:
            row[: len(said), 1] = said[: len(frame)]
        with self._lock:
            ahead = 0 if at is None else round(at * EAR_RATE) - self._begin - self._waiting_frames
            if ahead > 0:
                self._flush()
                self._begin += ahead
            self._waiting.append(row)
            self._waiting_frames += len(frame)
            if self._waiting_frames >= WRITE_EVERY:
                self._flush()

    def say(self, clip: Clip, at: float) -> None:
        """What the guide said, beginning `at` seconds; mixed into the right channel."""
        sound = resample(clip.samples, clip.rate, EAR_RATE)
        first = round(at * EAR_RATE)
        sound, first = sound[max(0, -first) :], max(0, first)
        with self._lock:
            self._flush()
            self._guarded(lambda file: self._patch(file, first, sound))

    def close(self) -> None:
        """Write what waits; safe to call twice."""
        with self._lock:
            self._flush()
            file, self._file = self._file, None
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        block = np.concatenate(rows)
        begin, self._begin = self._begin, self._begin + len(block)
        self._waiting_frames = 0
        self._guarded(lambda file: self._merge(file, begin, block))

    def _merge(self, file: BinaryIO, begin: int, block: Samples) -> None:
        """Write rows; where the guide's words were put ahead of time, they stay."""
        if begin < self._end:
            before = self._read(file, begin, min(len(block), self._end - begin))
            block[: len(before), 1] = _mixed(block[: len(before), 1], before[:, 1])
        self._put(file, begin, block)

    def _patch(self, file: BinaryIO, begin: int, sound: Samples) -> None:
        rows = np.zeros((len(sound), 2), "<i2")
        before = self._read(file, begin, len(sound))
        rows[: len(before)] = before
        rows[:, 1] = _mixed(rows[:, 1], sound)
        self._put(file, begin, rows)

    def _read(self, file: BinaryIO, begin: int, frames: int) -> Samples:
        file.seek(_HEADER_BYTES + begin * _FRAME_BYTES)
        data = file.read(max(0, min(frames, self._end - begin)) * _FRAME_BYTES) or b""
        rows = np.frombuffer(data[: len(data) // _FRAME_BYTES * _FRAME_BYTES], "<i2")
        return rows.astype(np.int16).reshape(-1, 2)

    def _put(self, file: BinaryIO, begin: int, rows: Samples) -> None:
        file.seek(_HEADER_BYTES + begin * _FRAME_BYTES)
        data = memoryview(rows.astype("<i2").tobytes())
        while data:  # an unbuffered write may be short, above all on a disk that is filling up
            written = file.write(data)
            data = data[written:]
        if begin + len(rows) > self._end:
            self._end = begin + len(rows)
            self._write_header()

    def _write_header(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        self._file.write(header(self._end * _FRAME_BYTES))

    def _guarded(self, work: Callable[[BinaryIO], None]) -> None:
        if self._file is None:
            return
        try:
            work(self._file)
        except OSError as trouble:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                file.close()
            self._on_trouble(DeviceError("recording_ended", f"The recording ended early ({trouble.strerror})", hint=_HINT))


def header(data_bytes: int) -> bytes:
    """The 80 bytes before the samples of a 16-bit stereo file at EAR_RATE."""
    large = data_bytes > _LARGEST
    total = data_bytes + _HEADER_BYTES - 8
    sizes = struct.pack("<QQQI", total, data_bytes, data_bytes // _FRAME_BYTES, 0) if large else bytes(28)
    return b"".join((
        struct.pack("<4sI4s", b"RF64" if large else b"RIFF", 0xFFFFFFFF if large else total, b"WAVE"),
        struct.pack("<4sI", b"ds64" if large else b"JUNK", len(sizes)),
        sizes,
        struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, EAR_RATE, EAR_RATE * _FRAME_BYTES, _FRAME_BYTES, 16),
        struct.pack("<4sI", b"data", 0xFFFFFFFF if large else data_bytes),
    ))


def _mixed(one: Samples, other: Samples) -> Samples:
    return np.clip(one.astype(np.int32) + other.astype(np.int32), -32768, 32767).astype("<i2")

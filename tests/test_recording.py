"""`--out`: a sound file at every moment, both sides where they belong, and a full disk ends it in one sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from voiceguide.adapters.recording import Recording, header
from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import EAR_RATE, FRAME, Clip, Samples


def read(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, EAR_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def frame(value: int) -> Samples:
    return np.full(FRAME, value, np.int16)


def hear(recording: Recording, seconds: float, value: int = 5) -> None:
    for _ in range(round(seconds * EAR_RATE / FRAME)):
        recording.hear(frame(value))


def test_left_is_what_was_heard_and_right_what_was_playing(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.wav") as recording:
        for number in range(100):
            recording.hear(frame(number), frame(-number))
        assert recording.seconds == 2.0
    rows = read(tmp_path / "out.wav")
    assert np.array_equal(rows[:, 0], np.repeat(np.arange(100), FRAME))
    assert np.array_equal(rows[:, 1], -rows[:, 0])


@pytest.mark.parametrize("at", [0.0, 0.7, 1.99, 2.0, 3.5])
def test_what_was_said_lands_at_its_moment_past_or_ahead(tmp_path: Path, at: float) -> None:
    with Recording(tmp_path / "out.wav") as recording:
        hear(recording, 2.0)
        recording.say(Clip(np.full(EAR_RATE, 7, np.int16), EAR_RATE), at)
        hear(recording, 3.0)
    rows = read(tmp_path / "out.wav")
    first = round(at * EAR_RATE)
    assert set(rows[first : first + EAR_RATE, 1]) == {7}
    assert np.count_nonzero(rows[:, 1]) == EAR_RATE
    assert set(rows[: 5 * EAR_RATE, 0]) == {5}
    assert len(rows) == 5 * EAR_RATE


def test_two_clips_at_once_are_mixed_and_other_rates_fit(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.wav") as recording:
        hear(recording, 2.0)
        recording.say(Clip(np.full(EAR_RATE, 30_000, np.int16), EAR_RATE), 0.0)
        recording.say(Clip(np.full(48_000, 30_000, np.int16), 48_000), 0.5)
    said = read(tmp_path / "out.wav")[:, 1]
    assert said[round(0.7 * EAR_RATE)] == 32_767
    assert abs(int(said[round(1.2 * EAR_RATE)]) - 30_000) < 300
    assert np.count_nonzero(said) == pytest.approx(1.5 * EAR_RATE, abs=50)


def test_a_pause_of_hours_takes_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    with Recording(path) as recording:
        hear(recording, 1.0)
        recording.hear(frame(9), at=2 * 3600.0)
        assert recording.seconds == pytest.approx(7200.02)
    assert path.stat().st_size == header(0).__len__() + round(7200.02 * EAR_RATE) * 4
    if hasattr(os.stat_result, "st_blocks") and sys.platform == "linux":
        assert path.stat().st_blocks * 512 < 1_000_000


def test_time_does_not_run_backwards(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.wav") as recording:
        hear(recording, 1.0)
        recording.hear(frame(9), at=0.2)
        assert recording.seconds == pytest.approx(1.02)


def test_above_four_gigabytes_the_header_says_so_in_64_bits() -> None:
    small, large = header(1000 * 4), header(5_000_000_000)
    assert len(small) == len(large) == 80
    assert (small[:4], small[12:16], large[:4], large[12:16]) == (b"RIFF", b"JUNK", b"RF64", b"ds64")
    assert int.from_bytes(large[28:36], "little") == 5_000_000_000
    assert int.from_bytes(large[36:44], "little") == 1_250_000_000


KILLED = """
import sys, numpy as np
from pathlib import Path
from voiceguide.adapters.recording import Recording
recording = Recording(Path(sys.argv[1]))
recording.open()
while True:
    recording.hear(np.full(320, 5, np.int16))
    if recording.seconds == 10:
        print("ten", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whatever_ends_us_the_file_can_be_read(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "out.wav"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        run.send_signal(how)
        run.wait()
    rows = read(path)
    assert len(rows) >= 9.5 * EAR_RATE
    assert set(rows[:, 0]) == {5}


class FillingUp:
    """A file on a disk that takes so many bytes and no more; the last write is a short one."""

    def __init__(self, file: object, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        if not self._room:
            raise OSError(28, "No space left on device")
        written = int(self._file.write(bytes(data)[: self._room]))  # type: ignore[attr-defined]  # a real file
        self._room -= written
        return written

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def test_a_full_disk_ends_it_in_one_sentence_and_keeps_what_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[DeviceError] = []
    recording = Recording(tmp_path / "out.wav", told.append)
    real_open = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: FillingUp(real_open(path, *a, **k), 100_001))
    recording.open()
    hear(recording, 5.0)
    recording.say(Clip(np.ones(1000, np.int16), EAR_RATE), 1.0)
    recording.close()
    monkeypatch.undo()
    assert [(error.code, bool(error.hint), error.exit_code) for error in told] == [("recording_ended", True, 3)]
    rows = read(tmp_path / "out.wav")
    assert len(rows) == 1.5 * EAR_RATE
    assert set(rows[:, 0]) == {5}


def test_a_place_that_cannot_be_written_is_a_device_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        Recording(tmp_path / "nowhere" / "out.wav").open()
    assert caught.value.code == "no_recording"
    assert caught.value.hint

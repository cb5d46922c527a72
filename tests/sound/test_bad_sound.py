"""Bad recordings, missing models, full disks, Ctrl-C and libraries that would report home: with the real recogniser and voice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from voiceguide.running import EXAMPLE
from voiceguide.runtime import models

WHISPER = models.inspect(models.find("whisper-tiny.en")).health is models.Health.READY
LIMIT = 300  # seconds: a busy machine

pytestmark = [pytest.mark.sound, pytest.mark.skipif(not WHISPER, reason="the whisper model is not fetched")]


@pytest.fixture
def household(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of this user's is read or written."""
    places = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    return os.environ | places | {"HOME": str(tmp_path), "VOICEGUIDE_SETTINGS": str(tmp_path / "settings.toml")}


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, int]:
    """A partner who says that they cannot go on."""
    samples, rate = soundfile.read(EXAMPLE / "en" / "04.flac")
    return samples, rate


def guide(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "voiceguide", *arguments], env=environment, text=True, capture_output=True,
                          timeout=LIMIT, check=False)


@pytest.mark.parametrize("kind", ["stereo", "8 kHz", "24 bit", "float"])
def test_recordings_of_every_kind_are_understood(
    kind: str, spoken: tuple[np.ndarray, int], tmp_path: Path, household: dict[str, str]
) -> None:
    samples, rate = spoken
    file = tmp_path / "said.wav"
    match kind:
        case "stereo":
            soundfile.write(file, np.stack([samples, samples / 2], 1), rate)
        case "8 kHz":
            soundfile.write(file, soxr.resample(samples, rate, 8000), 8000)
        case "24 bit":
            soundfile.write(file, samples, rate, subtype="PCM_24")
        case _:
            soundfile.write(file, samples, rate, subtype="FLOAT")
    done = guide(["transcribe", str(file)], household)
    assert done.returncode == 0, done.stderr
    assert "do this right now" in done.stdout


@pytest.mark.parametrize("kind", ["empty", "no bytes", "cut off", "no WAV", "missing", "a folder"])
@pytest.mark.parametrize("command", [["transcribe"], ["run", "--fast", "--audio"]])
def test_a_recording_that_cannot_be_heard_is_one_sentence(
    command: list[str], kind: str, spoken: tuple[np.ndarray, int], tmp_path: Path, household: dict[str, str]
) -> None:
    samples, rate = spoken
    file = tmp_path / "said.wav"
    soundfile.write(file, samples[:0] if kind == "empty" else samples, rate)
    whole = file.read_bytes()
    match kind:
        case "no bytes":
            file.write_bytes(b"")
        case "cut off":
            file.write_bytes(whole[: len(whole) // 2])
        case "no WAV":
            file.write_text("not a sound at all, only words\n" * 10, "utf-8")
        case "missing":
            file.unlink()
        case "a folder":
            file.unlink()
            file.mkdir()
    done = guide([*command, str(file)], household)
    content = kind == "a folder" and command[0] == "run"  # a folder is a conversation in parts; this one has no list of them
    assert done.returncode == (4 if content else 3), done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("voiceguide: ")


@pytest.mark.parametrize("damage", ["missing", "half unpacked", "wrong bytes"])
def test_a_model_that_cannot_serve_is_said_with_the_way_to_get_it(damage: str, tmp_path: Path, household: dict[str, str]) -> None:
    place = tmp_path / "models"
    place.mkdir()
    if damage != "missing":
        shutil.copytree(models.require("whisper-tiny.en"), place / "whisper-tiny.en")
        weights = place / "whisper-tiny.en" / "model.bin"
        size = weights.stat().st_size
        weights.write_bytes(weights.read_bytes()[: size // 2] if damage == "half unpacked" else b"\xa5" * size)
    done = guide(["run", "--example"], household | {"VOICEGUIDE_MODELS": str(place)})
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "scripts/fetch-models" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_a_measurement_and_not_the_conversation(household: dict[str, str]) -> None:
    recording = str(EXAMPLE / "en" / "04.flac")
    traced = guide(["run", "--fast", "--audio", recording, "--captions", "--trace", "/dev/full"], household)
    assert traced.returncode == 0, traced.stderr
    assert "do this right now" in traced.stdout
    assert [line for line in traced.stderr.splitlines() if "/dev/full" in line]


@pytest.mark.parametrize("asked", ["--out", "--trace"])
def test_a_place_that_cannot_be_written_is_named(asked: str, tmp_path: Path, household: dict[str, str]) -> None:
    for place in (tmp_path / "nowhere" / "file", tmp_path):
        done = guide(["run", "--fast", "--audio", str(EXAMPLE / "en" / "04.flac"), asked, str(place)], household)
        assert done.returncode == (3 if asked == "--out" else 2)
        assert len(done.stderr.splitlines()) == 1
        assert str(place) in done.stderr


@pytest.mark.parametrize("after", [0.0, 1.5, 5.0])
def test_ctrl_c_ends_at_any_moment_and_leaves_no_process_behind(after: float, tmp_path: Path, household: dict[str, str]) -> None:
    command = [sys.executable, "-m", "voiceguide", "run", "--audio", str(EXAMPLE / "en"), "--data", str(tmp_path / "kept")]
    with subprocess.Popen(command, env=household, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert running.stdout
        told = ""
        while "Listening" not in told and (line := running.stdout.readline()):
            told += line
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(after)
        running.send_signal(signal.SIGINT)
        told += running.communicate(timeout=60)[0]
        code = running.returncode
    assert code in (0, 130), told
    assert "Traceback" not in told
    again = guide(["promises", "--data", str(tmp_path / "kept")], household)
    assert again.returncode == 0, again.stderr


def test_no_library_leaves_an_identity_or_looks_for_the_network(tmp_path: Path, household: dict[str, str]) -> None:
    """onnxruntime from 1.31 on makes a device id and reports its use, unless it is told not to before it is loaded."""
    hook = tmp_path / "hook"
    hook.mkdir()
    seen = tmp_path / "sockets"
    (hook / "sitecustomize.py").write_text(
        "import sys\n"
        "def look(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto', 'socket.bind'):\n"
        f"        open({str(seen)!r}, 'a').write(event + '\\n')\n"
        "sys.addaudithook(look)\n", "utf-8")
    command = [sys.executable, "-m", "voiceguide", "run", "--fast", "--audio", str(EXAMPLE / "en" / "04.flac"), "--captions"]
    trace = tmp_path / "strace"
    strace = shutil.which("strace")
    if strace:  # sees what is below Python as well
        command = [strace, "-f", "-qq", "-e", "trace=socket", "-o", str(trace), *command]
    environment = household | {"PYTHONPATH": str(hook)}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    assert "do this right now" in done.stdout
    assert not seen.exists(), seen.read_text("utf-8")
    assert not strace or "AF_INET" not in trace.read_text("utf-8")
    assert [folder.name for folder in (tmp_path / "cache").iterdir()] == ["voiceguide"]

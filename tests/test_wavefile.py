"""Whatever a recording is, it becomes mono at the ear's rate, or one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from voiceguide.adapters.wavefile import read, read_parts
from voiceguide.errors import ContentError, DeviceError
from voiceguide.runtime.ports import EAR_RATE

if TYPE_CHECKING:
    from pathlib import Path


def tone(rate: int, seconds: float = 0.5) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize(
    ("rate", "depth"),
    [
        (8000, "PCM_16"),
        (16000, "PCM_U8"),
        (16000, "PCM_16"),
        (22050, "PCM_24"),
        (44100, "FLOAT"),
        (48000, "DOUBLE"),
        (96000, "PCM_32"),
    ],
)
def test_every_rate_and_depth_becomes_the_ears(tmp_path: Path, rate: int, depth: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate), rate, subtype=depth)
    samples = read(tmp_path / "a.wav")
    assert samples.dtype == np.int16
    assert abs(len(samples) - EAR_RATE / 2) <= 2
    middle = samples[2000:6000].astype(float)
    assert np.corrcoef(middle, tone(EAR_RATE)[2000:6000])[0, 1] > 0.99
    assert 15_500 < middle.max() < 17_500


def test_of_two_channels_the_one_with_sound_is_heard(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([np.zeros(8000), tone(16000)], axis=1), 16000)
    assert read(tmp_path / "a.wav").max() > 15_000


def test_opposite_channels_do_not_cancel(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(16000), -tone(16000)], axis=1), 16000)
    assert read(tmp_path / "a.wav").max() > 15_000


def test_full_scale_does_not_wrap(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(1600, 2.0), 16000, subtype="FLOAT")
    assert read(tmp_path / "a.wav").min() == 32767


def test_a_recorder_that_never_wrote_its_length_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000, subtype="PCM_16")
    whole = bytearray((tmp_path / "a.wav").read_bytes())
    at = whole.index(b"data") + 4
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "b.wav").write_bytes(whole)
    assert len(read(tmp_path / "b.wav")) == 8000


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "header", "no_samples", "cut", "folder"])
def test_what_is_no_recording_is_one_sentence(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / "good.wav", tone(16000), 16000, subtype="PCM_16")
    whole = (tmp_path / "good.wav").read_bytes()
    bad = tmp_path / "bad.wav"
    match kind:
        case "empty":
            bad.write_bytes(b"")
        case "text":
            bad.write_text("this is no sound")
        case "header":
            bad.write_bytes(whole[:20])
        case "no_samples":
            soundfile.write(bad, np.zeros(0), 16000)
        case "cut":
            bad.write_bytes(whole[: len(whole) // 2])
        case "folder":
            bad.mkdir()
    with pytest.raises(DeviceError) as trouble:
        read(bad)
    assert trouble.value.exit_code == 3
    assert "bad.wav" in trouble.value.message
    assert "\n" not in str(trouble.value)


def folder_of(tmp_path: Path, listing: str) -> Path:
    soundfile.write(tmp_path / "01.wav", tone(16000), 16000)
    soundfile.write(tmp_path / "02.wav", tone(8000), 8000)
    (tmp_path / "parts.toml").write_text(listing)
    return tmp_path


def test_parts_come_with_the_moment_each_begins(tmp_path: Path) -> None:
    first, second = read_parts(folder_of(tmp_path, '[[part]]\nfile="01.wav"\nat=12.5\n[[part]]\nfile="02.wav"\nafter=1\n'))
    assert (first.at, first.after, len(first.samples)) == (12.5, None, 8000)
    assert (second.at, second.after, second.name) == (None, 1.0, "02.wav")


@pytest.mark.parametrize(
    ("listing", "names"),
    [
        ("part = 3", "no [[part]]"),
        ("[[part", "parts.toml"),
        ('[[part]]\nfile="01.wav"', "part 1"),
        ('[[part]]\nfile="01.wav"\nat=1\nafter=1', "part 1"),
        ('[[part]]\nfile="01.wav"\nat=0\n[[part]]\nfile="02.wav"\nat=0.2', "part 2"),
        ('[[part]]\nfile="01.wav"\nat="soon"', "at is no number"),
        ('[[part]]\nfile="01.wav"\nat=-1', "at is no number"),
        ('[[part]]\nfile="01.wav"\nat=true', "at is no number"),
        ('[[part]]\nfile="01.wav"\nat=1\nvolume=3', "volume"),
        ('[[part]]\nfile="../01.wav"\nat=1', "outside"),
        ("[[part]]\nat=1", "names no file"),
    ],
)
def test_a_broken_list_of_parts_names_its_entry(tmp_path: Path, listing: str, names: str) -> None:
    with pytest.raises(ContentError, match=r"parts\.toml") as trouble:
        read_parts(folder_of(tmp_path, listing))
    assert names in trouble.value.message
    assert trouble.value.hint, "what is wrong is half the sentence: what to do is the other"
    assert trouble.value.exit_code == 4


def test_a_folder_without_a_list_and_a_part_without_sound_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as trouble:
        read_parts(tmp_path)
    assert trouble.value.hint
    with pytest.raises(DeviceError):
        read_parts(folder_of(tmp_path, '[[part]]\nfile="03.wav"\nat=1'))

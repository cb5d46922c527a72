"""The measuring must itself be right: a known order gives a known area, and a made-up voice gives a whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voiceguide.benching_voice import acted_as, area_under_curve, as_table, cut, voice_figures
from voiceguide.runtime.ports import EAR_RATE, Samples
from voiceguide.runtime.prosody import HOP, PitchTrack


def voice(number: int, seconds: float = 2.5) -> Samples:
    """A buzz whose loudness, pitch and speed depend on `number`."""
    chance = np.random.default_rng(number)
    at = np.arange(int(seconds * EAR_RATE)) / EAR_RATE
    phase = 2 * np.pi * np.cumsum((110 + 5 * chance.normal()) * (1 + 0.1 * np.sin(4 * at))) / EAR_RATE
    sound = np.asarray(sum(np.sin(k * phase) / k for k in range(1, 20))) * np.clip(np.sin(2 * np.pi * 3 * at), 0.02, 1.0)
    return np.asarray(sound * 2000 * (1 + 0.1 * chance.random()), dtype=np.int16)


def track(samples: Samples) -> PitchTrack:
    count = len(samples) // HOP
    return PitchTrack(110.0 * (1 + 0.1 * np.sin(np.arange(count) / 8)), np.where(np.arange(count) % 4 < 3, 0.9, 0.0))


def test_area_under_the_curve_counts_won_pairs_and_halves_of_ties() -> None:
    assert area_under_curve([0.0, 1.0], [2.0, 3.0]) == 1.0
    assert area_under_curve([0.0, 2.0], [1.0, 2.0]) == pytest.approx(0.625)


def test_talk_is_cut_at_its_pauses() -> None:
    silence = np.zeros(EAR_RATE, np.int16)
    parts = cut(np.concatenate([silence, voice(1), silence, voice(2), silence]))
    assert [round(start / EAR_RATE) for start, _ in parts] == [1, 4]
    assert cut(np.zeros(0, np.int16)) == []


def test_a_folder_of_sound_becomes_a_whole_table(tmp_path: Path) -> None:
    for folder in ("speech", "noise", "meeting"):
        (tmp_path / folder).mkdir()
    for number in range(9):
        (tmp_path / "speech" / f"ann-{number}.wav").touch()
    (tmp_path / "noise" / "tick-99.wav").touch()
    (tmp_path / "meeting" / "table-7.wav").touch()
    figures = voice_figures(tmp_path, lambda path: voice(int(path.stem.split("-")[1])), track)
    table = as_table(figures)
    assert table.count("\n") == len(figures) + 1
    assert all(np.isfinite(one.value) for one in figures)
    assert {one.of for one in figures if one.unit == "AUC"} == {"simulated from read"}
    assert [one.value for one in figures if one.task == "fires by the voice alone, one speaker"] == [0.0]


def test_a_folder_without_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        voice_figures(tmp_path, lambda _path: voice(1), track)


@pytest.mark.parametrize(("name", "known"), [
    ("ann-calm-03", ("ann", False)),
    ("ann-raised-03", ("ann", True)),
    ("03-01-02-01-01-02-17", ("17", False)),
    ("03-01-05-02-01-01-04", ("04", True)),
    ("03-01-03-01-01-01-04", None),
    ("03-02-05-01-01-01-04", None),
    ("08a01Na", ("08", False)),
    ("16b10Wb", ("16", True)),
    ("16b10Fb", None),
    ("1001_IEO_ANG_HI", ("1001", True)),
    ("1001_IEO_NEU_XX", ("1001", False)),
    ("DC_n12", ("DC", False)),
    ("DC_sa12", None),
    ("holiday", None),
])
def test_corpora_of_acted_speech_are_read_as_they_name_their_files(name: str, known: tuple[str, bool] | None) -> None:
    assert acted_as(name) == known


def test_each_corpus_of_acted_speech_is_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "ann-1.wav").touch()
    for corpus, count in (("ravdess", 9), ("emodb", 2)):  # two calm sentences are no baseline
        (tmp_path / "acted" / corpus).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "acted" / corpus / f"ann-calm-{number}.wav").touch()
        (tmp_path / "acted" / corpus / "ann-raised-50.wav").touch()
    figures = voice_figures(tmp_path, lambda path: voice(int(path.stem.split("-")[-1])), track)
    assert [one.of for one in figures if one.unit == "AUC"] == ["acted, ravdess"] * 2

"""Figures are measured on what is named beside them; the arithmetic is checked on sound that was made for it."""

from __future__ import annotations

import argparse
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from voiceguide.bench import MEASURES, as_table, bench_command, latency
from voiceguide.benching_latency import answer_gaps, sign_gaps, stretches
from voiceguide.benching_talk import spoken_lines, talk_figures
from voiceguide.benching_understanding import MARK, Row, fallen, into_readme, show
from voiceguide.benching_voice import Figure
from voiceguide.errors import UsageError
from voiceguide.runtime.ports import Samples

RATE = 16_000


def sound(seconds: float, *spoken: tuple[float, float]) -> Samples:
    """Soft noise with a loud tone in each (begin, end)."""
    chance = np.random.default_rng(7)
    samples = chance.normal(0, 8, int(seconds * RATE))
    for begin, end in spoken:
        span = slice(int(begin * RATE), int(end * RATE))
        samples[span] += 6000 * np.sin(np.arange(span.stop - span.start) * 0.1)
    return samples.astype(np.int16)


def test_speech_is_found_to_ten_milliseconds_and_short_gaps_are_closed() -> None:
    found = stretches(sound(4, (0.5, 1.0), (1.1, 1.6), (3.0, 3.2)), RATE)
    assert np.allclose(found, [(0.5, 1.6), (3.0, 3.2)], atol=0.011)
    assert stretches(np.zeros(RATE, np.int16), RATE) == []
    assert stretches(np.zeros(0, np.int16), RATE) == []


def test_an_answer_counts_from_the_end_of_speech_to_the_first_sound() -> None:
    heard = sound(30, (1, 2), (10, 11), (20, 21))
    said = sound(30, (2.4, 3.0), (3.5, 4.0), (11.8, 12.0), (29, 29.5))
    assert answer_gaps(heard, said, RATE) == pytest.approx([0.4, 0.8], abs=0.021)


def test_the_earcon_is_a_sign_and_no_answer() -> None:
    heard, said = sound(12, (1, 2)), sound(12, (2.3, 2.38), (2.6, 3.4))
    assert sign_gaps(heard, said, RATE) == pytest.approx([0.3], abs=0.021)
    assert answer_gaps(heard, said, RATE) == pytest.approx([0.6], abs=0.021)


def test_latency_is_read_from_two_aligned_channels(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    with wave.open(str(file), "wb") as target:
        target.setnchannels(2)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(np.stack([sound(6, (1, 2)), sound(6, (2.5, 3))], axis=1).tobytes())
    assert latency(file)[0].value == pytest.approx(0.5, abs=0.021)
    (tmp_path / "bad.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(UsageError, match="no WAV file"):
        latency(tmp_path / "bad.wav")


def a_row(f1: float, task: str = "pause") -> Row:
    return Row(task, n=100, positive="pause", precision=0.9, recall=0.8, f1=f1, noise=0.01, lexical=0.7)


def test_a_drop_beyond_noise_fails_and_one_within_it_does_not() -> None:
    accepted = {"pause": a_row(0.90)}
    assert fallen([a_row(0.86)], accepted) == ["pause"]
    assert fallen([a_row(0.88)], accepted) == []
    assert fallen([a_row(0.10, "a new task")], accepted) == []


def test_the_understanding_table_fits_80_columns() -> None:
    rows = [a_row(0.9), a_row(0.8, "promise, first missing")]
    lines = show(rows, {"pause": a_row(0.85)}).splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines[0]) <= 80
    assert "0.850" in lines[2] and lines[3].rstrip(" |").endswith("-")


def test_the_readme_takes_the_table_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path / "README.md"
    monkeypatch.setattr("voiceguide.benching_understanding.README", readme)
    into_readme("| a table |", "en")  # installed without its README: nothing happens
    readme.write_text(f"before\n{MARK}\nold\n{MARK}\nafter\n")
    into_readme("| a table |", "en")
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "| a table |" in text and "old" not in text


def test_talk_is_read_as_a_recogniser_would_print_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("A|Okay, uh,|fo\nB|Well, it's 5 o'clock - hard to say.|^h\n\nno bar\nA|...|x\n")
    assert list(spoken_lines(file)) == ["okay uh", "well it's o'clock hard to say"]


def test_a_request_for_a_pause_in_the_talk_is_counted_as_one_an_hour(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no conversations"):
        talk_figures(tmp_path)
    (tmp_path / "a.txt").write_text("A|The weather was fine on Sunday.|sd\n" * 400 + "B|I need a break.|x\n")
    found = {one.task: one for one in talk_figures(tmp_path)}
    assert found["a pause at once, per hour"].n == 1
    assert found["a pause at once, per hour"].value == pytest.approx(3600 / (2404 / 2.7))


def test_the_table_lines_up_and_the_figures_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("voiceguide.bench.MEASURES", {"x": lambda _: [Figure("a task", "data", 3, 0.5, "s")]})
    assert bench_command(argparse.Namespace(what="x", data=None, json="mine.json")) == 0
    table = capsys.readouterr().out.split("\n\n")[0]
    assert len({len(line) for line in table.splitlines()}) == 1
    assert json.loads((tmp_path / ".cache" / "bench" / "x.json").read_text())["figures"][0]["value"] == 0.5
    assert (tmp_path / "mine.json").read_text() == (tmp_path / ".cache" / "bench" / "x.json").read_text()
    assert as_table([]).count("\n") == 1


@pytest.mark.parametrize("place", ["nowhere/x.json", "there"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("voiceguide.bench.MEASURES", {"x": lambda _: pytest.fail("minutes of work for nothing")})
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="cannot be written") as refused:
        bench_command(argparse.Namespace(what="x", data=None, json=place))
    assert refused.value.hint


def test_a_place_that_was_only_tried_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def fails(_: object) -> list[Figure]:
        raise UsageError("no_data")

    monkeypatch.setattr("voiceguide.bench.MEASURES", {"x": fails})
    (tmp_path / "old.json").write_text("old")
    for place in ("old.json", "new.json"):
        with pytest.raises(UsageError):
            bench_command(argparse.Namespace(what="x", data=None, json=place))
    assert (tmp_path / "old.json").read_text() == "old" and not (tmp_path / "new.json").exists()


def test_a_measure_without_its_data_says_what_it_needs() -> None:
    for what in ("times", "voice"):
        with pytest.raises(UsageError, match="--data"):
            MEASURES[what](None)
    with pytest.raises(UsageError, match="there are: latency"):
        bench_command(argparse.Namespace(what="everything", data=None, json=None))

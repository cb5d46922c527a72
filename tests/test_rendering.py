"""Fixed prompts are ready before they are needed, dictated words never reach the disk, and no cache can break a sentence.

Also the seven earcons: short, calm, low, and very different from one another.
"""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from voiceguide.errors import VoiceError
from voiceguide.runtime.earcons import EARCONS, earcon
from voiceguide.runtime.ports import Clip, Manner
from voiceguide.runtime.rendering import Renderer
from voiceguide.runtime.shaping import SENTENCE_PAUSE, STEADY_DB, active_db

DICTATED = "When you come home I will put my phone away"
PATIENCE = 5.0


class FakeVoice:
    """A tenth of a second for every sentence; counts what it was asked for."""

    name = "fake"

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.broken = False
        self.lasting = True
        self.gate: threading.Event | None = None
        self.entered = threading.Event()

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def render(self, text: str, manner: Manner) -> Clip:
        self.rendered.append(text)
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        if self.broken:
            raise VoiceError("no_voice")
        return Clip(np.full(2205, len(text) * 10, np.int16), 22_050, lasting=self.lasting)


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice()


def renderer(fake: FakeVoice, folder: Path | None, **manner: object) -> Renderer:
    return Renderer(fake, Manner(**manner), folder)  # type: ignore[arg-type]  # the tests name real fields


def test_a_fixed_prompt_is_rendered_once_also_over_restarts(voice: FakeVoice, tmp_path: Path) -> None:
    first = renderer(voice, tmp_path / "cache").clip("One. Two.", keep=True)
    again = renderer(voice, tmp_path / "cache").clip("One. Two.", keep=True)
    assert voice.rendered == ["One.", "Two."]
    assert np.array_equal(first.samples, again.samples)
    assert first.seconds == pytest.approx(0.2 + SENTENCE_PAUSE)


def test_dictated_words_are_never_written_nor_kept(voice: FakeVoice, tmp_path: Path) -> None:
    made = renderer(voice, tmp_path)
    made.clip(DICTATED, keep=False)
    made.clip(DICTATED, keep=False)
    assert len(voice.rendered) == 2
    assert list(tmp_path.iterdir()) == []


def test_no_file_name_or_file_holds_the_text(voice: FakeVoice, tmp_path: Path) -> None:
    renderer(voice, tmp_path).clip("Good evening.", keep=True)
    files = list(tmp_path.iterdir())
    assert len(files) == 1
    assert "evening" not in files[0].name
    assert b"evening" not in files[0].read_bytes()


@pytest.mark.parametrize("other", [{"words_per_minute": 120}, {"voice": "else"}, {"volume": 0.5}, {"language": "ko"}])
def test_another_manner_is_another_sound(voice: FakeVoice, tmp_path: Path, other: dict[str, object]) -> None:
    renderer(voice, tmp_path).clip("One.", keep=True)
    renderer(voice, tmp_path, **other).clip("One.", keep=True)
    assert voice.rendered == ["One.", "One."]


@pytest.mark.parametrize("damage", ["empty", "cut", "zeros", "noise"])
def test_a_broken_file_is_rendered_again_and_mended(voice: FakeVoice, tmp_path: Path, damage: str) -> None:
    whole = renderer(voice, tmp_path).clip("One.", keep=True)
    file = next(tmp_path.iterdir())
    data = file.read_bytes()
    broken = {"empty": b"", "cut": data[:-100], "zeros": data[:40] + bytes(len(data) - 40), "noise": b"x" * len(data)}
    file.write_bytes(broken[damage])
    assert np.array_equal(renderer(voice, tmp_path).clip("One.", keep=True).samples, whole.samples)
    assert voice.rendered == ["One.", "One."]
    assert file.read_bytes() == data


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(voice: FakeVoice, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = renderer(voice, tmp_path / "file" / "cache")
    assert made.clip("One.", keep=True).seconds == pytest.approx(0.1)
    assert made.clip("One.", keep=True).seconds == pytest.approx(0.1)
    assert voice.rendered == ["One."], "it is kept in memory then"


def test_a_full_disk_costs_nothing_but_time(voice: FakeVoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    made = renderer(voice, tmp_path)
    made.clip("One.", keep=True)
    made.clip("Two.", keep=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_stand_in_spoke_is_not_cached(voice: FakeVoice, tmp_path: Path) -> None:
    made = renderer(voice, tmp_path)
    voice.lasting = False
    made.clip("One.", keep=True)
    voice.lasting = True
    made.clip("One.", keep=True)
    made.clip("One.", keep=True)
    assert voice.rendered == ["One.", "One."]


def test_prompts_are_prepared_in_the_background_each_sentence_once(voice: FakeVoice, tmp_path: Path) -> None:
    made = renderer(voice, tmp_path)
    made.prepare(["One. Two.", "Two. Three."])
    assert made.wait(PATIENCE)
    assert voice.rendered == ["One.", "Two.", "Three."]
    made.clip("Three. One.", keep=True)
    assert len(voice.rendered) == 3


def test_preparing_stops_when_told_and_a_failing_voice_ends_it(voice: FakeVoice, tmp_path: Path) -> None:
    made = renderer(voice, tmp_path)
    voice.gate = threading.Event()
    made.prepare([f"Number {number}." for number in range(50)])
    assert voice.entered.wait(PATIENCE)
    stopper = threading.Thread(target=made.stop)
    stopper.start()
    voice.gate.set()
    stopper.join(PATIENCE)
    assert made.wait(0)
    assert len(voice.rendered) < 50
    voice.broken = True
    made.prepare([f"Letter {letter}." for letter in "abc"])
    assert made.wait(PATIENCE)
    assert voice.rendered[-1] == "Letter a."


def test_a_voice_that_fails_says_so(voice: FakeVoice, tmp_path: Path) -> None:
    voice.broken = True
    with pytest.raises(VoiceError):
        renderer(voice, tmp_path).clip("One.", keep=True)


def test_without_a_folder_it_works_as_well(voice: FakeVoice) -> None:
    assert renderer(voice, None).clip("One.", keep=True).seconds == pytest.approx(0.1)


# --- earcons -------------------------------------------------------------------------------------------------------------

IDS = ("listening", "heard", "pause", "return", "beat", "stop", "trouble")


def test_the_seven_are_there() -> None:
    assert set(EARCONS) == set(IDS)


@pytest.mark.parametrize("name", IDS)
def test_an_earcon_is_short_low_soft_and_starts_gently(name: str) -> None:
    clip = earcon(name)
    sound = clip.samples / 32768
    power = np.abs(np.fft.rfft(sound)) ** 2
    low = np.fft.rfftfreq(len(sound), 1 / clip.rate) < 2000
    assert 0.075 <= clip.seconds <= 0.5
    assert power[low].sum() > 0.99 * power.sum()
    assert active_db(clip.samples, clip.rate) < STEADY_DB
    assert np.abs(sound).max() < 0.25
    assert abs(sound[0]) < 0.002
    assert abs(sound[-1]) < 0.002
    assert np.array_equal(clip.samples, earcon(name).samples)


@pytest.mark.parametrize("name", IDS)
def test_an_earcon_follows_the_volume(name: str) -> None:
    assert np.allclose(earcon(name, 0.5).samples, earcon(name).samples / 2, atol=1)


def picture(name: str) -> np.ndarray:
    """Time by pitch on a scale of musical fourths, as an ear roughly has it; unit length."""
    clip = earcon(name)
    sound = np.pad(clip.samples / 32768, (0, clip.rate // 2 - len(clip.samples) + 1200))
    frames = np.stack([sound[at : at + 1200] * np.hanning(1200) for at in range(0, clip.rate // 2, 600)])
    spectra = np.abs(np.fft.rfft(frames, 4096))
    hertz = np.fft.rfftfreq(4096, 1 / clip.rate)
    edges = 100 * 2 ** (np.arange(0, 12) * 5 / 12)
    bands = np.stack([spectra[:, (hertz >= a) & (hertz < b)].sum(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    return np.asarray(bands / np.linalg.norm(bands))


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(IDS, 2)))
def test_no_two_earcons_are_alike(one: str, other: str) -> None:
    assert float((picture(one) * picture(other)).sum()) < 0.75

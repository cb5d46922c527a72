"""What mishearing costs is measured on sounds that are known, with an ear and a voice that are known."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from voiceguide import benching_sound
from voiceguide.assembly import Content
from voiceguide.benching_mishearing import (
    CONDITIONS,
    LONGEST,
    SHARE,
    TEXT,
    Tools,
    heard_by,
    mishearing_figures,
    sample,
    word_errors,
)
from voiceguide.benching_sound import Speaker, echoing, noisy, number_of, padded
from voiceguide.benching_understanding import expectation_for
from voiceguide.benching_voice import Figure
from voiceguide.corpus import Example, read_corpus
from voiceguide.errors import UsageError
from voiceguide.runtime.listening import Words
from voiceguide.runtime.ports import EAR_RATE, Expectation, Samples
from voiceguide.runtime.shaping import active_db


def tone(seconds: float, hertz: float = 300.0, height: float = 3000.0) -> Samples:
    at = np.arange(round(seconds * EAR_RATE)) / EAR_RATE
    return np.asarray(height * np.sin(2 * np.pi * hertz * at), dtype=np.int16)


@dataclass
class FakeRecogniser:
    """Counts what it was given."""

    streaming: bool = True
    first_guess: float = 0.1
    heard: list[int] = field(default_factory=list)

    def begin(self, expectation: Expectation) -> None:
        self.heard.clear()

    def accept(self, samples: Samples) -> None:
        self.heard.append(len(samples))

    def guess(self) -> Words:
        return Words()

    def finish(self, *, guess_holds: bool) -> Words:
        assert not guess_holds
        total = sum(self.heard)
        self.heard.clear()
        return Words(f"{total}", "closed")


class Parrot:
    """A voice that remembers what it said, and an ear that hears it, but for what a room swallows."""

    def __init__(self) -> None:
        self.said = ""
        self.steps: list[str] = []

    def say(self, text: str) -> Samples:
        self.said = text
        return tone(1.0)

    def hear(self, samples: Samples, expectation: Expectation) -> Words:
        self.steps.append(expectation.name)
        return Words(self.said)


def tools(parrot: Parrot, *engines: Speaker) -> Tools:
    understanding = Content.load("en", encoder=False).understanding
    return Tools(lambda _path: tone(0.5), parrot.hear, engines or [Speaker("parrot", [parrot.say])], understanding)


def folder(place: Path) -> Path:
    for name in ("noise", "room", "speech"):
        (place / name).mkdir()
    for name in ("noise/rain.wav", "room/hall.wav", "speech/one.wav"):
        (place / name).touch()
    (place / "manifest.csv").write_text("path,transcript\nspeech/one.wav,the rain is over\nnoise/rain.wav,\n", "utf-8")
    return place


SENTENCES = [
    Example("i need a break", "pause", "pause", "test", (), "pause"),
    Example("the bread needs a break in the oven", "pause", "none", "test", (), "ordinary"),
    Example("yes please", "answer", "yes", "test", (), "answers"),
]


def value(figures: list[Figure], task: str, of: str) -> float:
    (found,) = [one.value for one in figures if (one.task, one.of) == (task, of)]
    return found


def test_word_errors_count_the_fewest_changes() -> None:
    assert word_errors(["a", "b", "c"], ["a", "b", "c"]) == (0, 3)
    assert word_errors(["a", "b", "c"], ["a", "x", "c", "d"]) == (2, 3)
    assert word_errors(["a", "b", "c"], []) == (3, 3)
    assert word_errors([], ["a", "b"]) == (2, 0)


def test_noise_lies_as_far_below_the_speech_as_was_asked() -> None:
    speech, noise = np.concatenate([tone(1.0), np.zeros(EAR_RATE, np.int16)]), tone(0.3, 1000.0, 200.0)
    for decibels in (20, 10, 5):
        added = noisy(speech, noise, decibels).astype(np.int32)[EAR_RATE + 100 :]
        assert active_db(speech, EAR_RATE) - active_db(added.astype(np.int16), EAR_RATE) == pytest.approx(decibels, abs=0.3)


def test_nothing_is_cut_at_full_scale() -> None:
    loud = noisy(tone(0.5, height=30_000.0), tone(0.5, 310.0), 0.0)
    assert np.abs(loud.astype(np.int32)).max() <= 32_767
    assert np.mean(np.abs(loud) == 32_767) < 0.01


def test_a_room_keeps_the_level_and_sounds_on() -> None:
    room = np.zeros(EAR_RATE // 2, np.int16)
    room[[100, 3000, 6000]] = 20_000, 8_000, 4_000
    speech = tone(1.0)
    wet = echoing(speech, room)
    assert active_db(wet, EAR_RATE) == pytest.approx(active_db(speech, EAR_RATE), abs=0.2)
    assert wet[len(speech) + 100 : len(speech) + 2000].any()
    assert np.argmax(np.abs(wet) > 500) == pytest.approx(np.argmax(np.abs(speech) > 500), abs=10)


def test_silence_stays_as_it_is() -> None:
    nothing = np.zeros(0, np.int16)
    assert len(noisy(nothing, tone(1.0), 10)) == len(echoing(nothing, tone(1.0))) == 0
    assert np.array_equal(noisy(tone(0.1), np.zeros(50, np.int16), 10), tone(0.1))


def test_a_short_clip_is_padded_to_what_an_ear_hears_well() -> None:
    assert len(padded(tone(0.2))) >= round(benching_sound.LEAST * EAR_RATE) - 1
    assert len(padded(tone(3.0))) == round((3.0 + benching_sound.LEAD + benching_sound.TAIL) * EAR_RATE)


def test_the_same_sentences_are_chosen_whatever_their_order() -> None:
    examples = read_corpus("en", ("test",))
    chosen = sample(examples)
    assert chosen == sample(examples[::-1])
    assert len(chosen) <= sum(SHARE.values())
    assert {one.task for one in chosen} == {"pause", "cue", "safety", "answer"}
    assert number_of("a") == number_of("a") != number_of("a", "b")


def test_a_long_story_is_heard_in_pieces_and_a_closed_reading_only_of_one() -> None:
    hear = heard_by(FakeRecogniser())
    assert hear(tone(1.0), Expectation("talk")) == Words(f"{EAR_RATE}", "closed")
    assert hear(np.zeros(LONGEST + 5, np.int16), Expectation("talk")) == Words(f"{LONGEST} 5")


def test_every_condition_stands_beside_the_text(tmp_path: Path) -> None:
    parrot = Parrot()
    figures = mishearing_figures(folder(tmp_path), tools(parrot), SENTENCES)
    for condition in (TEXT, *CONDITIONS):
        assert value(figures, "pause, of requests heard", condition) == 100.0
        assert value(figures, "pause, heard in look-alikes", condition) == 0.0
        assert value(figures, "answers, right", condition) == 100.0
    assert value(figures, "words wrong, parrot", "room") == 0.0
    assert value(figures, "words wrong, read sentences", "quiet") > 0  # the parrot repeats its own last sentence
    assert set(parrot.steps) == {"talk", expectation_for(SENTENCES[2])}


def test_engines_take_turns_and_one_that_is_late_is_left_out(tmp_path: Path) -> None:
    parrot = Parrot()
    late = Speaker("late", [lambda _text: np.zeros(0, np.int16)])
    figures = mishearing_figures(folder(tmp_path), tools(parrot, Speaker("parrot", [parrot.say]), late), SENTENCES)
    assert {one.task for one in figures if one.task.startswith("words wrong, ")} == {
        "words wrong, parrot", "words wrong, read sentences"}
    assert [one.n for one in figures if (one.task, one.of) == ("answers, right", "quiet")] == [1]


def test_a_folder_without_noise_and_a_house_without_a_voice_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no noise"):
        mishearing_figures(tmp_path, tools(Parrot()), SENTENCES)
    with pytest.raises(UsageError, match="can speak"):
        mishearing_figures(folder(tmp_path), replace(tools(Parrot()), speakers=[]), SENTENCES)


def test_a_house_without_the_natural_voice_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with ExitStack() as stack:
        assert all("piper" not in one.engine for one in benching_sound.speakers(stack))

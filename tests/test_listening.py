"""The pipeline in the ear's process, with a VAD that reads loudness and a recogniser that counts seconds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from voiceguide.core.effects import Patience
from voiceguide.runtime.listening import Listening, Words
from voiceguide.runtime.ports import (
    EAR_RATE,
    FRAME,
    EarEvent,
    Expectation,
    Prosody,
    Samples,
    SpeechEnded,
    SpeechStarted,
    Utterance,
)

QUIET, LOUD = 0, 8000


class LoudnessVad:
    frame = 512
    frame_seconds = 512 / EAR_RATE

    def probability(self, samples: Samples) -> float:
        return 0.95 if np.abs(samples).mean() > LOUD / 2 else 0.02


@dataclass
class CountingRecogniser:
    """Its text is the number of tenths of loud seconds since the last hand-over."""

    streaming: bool = True
    first_guess: float = 0.1
    loud: int = 0
    guesses: int = 0
    begun: list[str] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    def begin(self, expectation: Expectation) -> None:
        self.begun.append(expectation.name)
        self.loud = 0

    def accept(self, samples: Samples) -> None:
        self.loud += int((np.abs(samples) > LOUD / 2).sum())

    def guess(self) -> Words:
        self.guesses += 1
        return self.words()

    def finish(self, *, guess_holds: bool) -> Words:
        self.held.append(guess_holds)
        words, self.loud = self.words(), 0
        return words

    def words(self) -> Words:
        return Words(f"{self.loud / EAR_RATE:.1f}")


def sound(*spans: tuple[float, int]) -> Samples:
    return np.concatenate([np.full(round(seconds * EAR_RATE), level, np.int16) for seconds, level in spans])


def hear(listening: Listening, samples: Samples, reference: Samples | None = None) -> list[EarEvent]:
    events: list[EarEvent] = []
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        events += listening.feed(samples[at : at + FRAME], None if reference is None else reference[at : at + FRAME])
    return events


def kinds(events: list[EarEvent]) -> list[type]:
    return [type(event) for event in events]


def only_utterance(events: list[EarEvent]) -> Utterance:
    (found,) = [event for event in events if isinstance(event, Utterance)]
    return found


def test_an_utterance_is_told_with_its_times_and_all_of_its_sound() -> None:
    events = hear(Listening(CountingRecogniser(), LoudnessVad()), sound((1.0, QUIET), (1.5, LOUD), (2.0, QUIET)))
    assert kinds(events) == [SpeechStarted, SpeechEnded, Utterance]
    heard = only_utterance(events)
    assert heard.text == "1.5"
    assert heard.began == pytest.approx(1.0, abs=0.05)
    assert heard.ended == pytest.approx(2.5, abs=0.05)
    assert heard.decided == pytest.approx(3.2, abs=0.06)


def test_the_size_of_frames_changes_nothing() -> None:
    samples = sound((0.7, QUIET), (0.9, LOUD), (0.2, QUIET), (0.5, LOUD), (2.0, QUIET))
    whole = list(Listening(CountingRecogniser(), LoudnessVad()).feed(samples))
    assert whole == hear(Listening(CountingRecogniser(), LoudnessVad()), samples)


def test_a_whole_answer_ends_at_once_by_phrase_and_by_pattern() -> None:
    for expectation in (Expectation("a", phrases=frozenset({"1.0"})), Expectation("a", pattern=r"\d\.\d")):
        listening = Listening(CountingRecogniser(), LoudnessVad())
        listening.expect(expectation)
        heard = only_utterance(hear(listening, sound((0.5, QUIET), (1.0, LOUD), (2.0, QUIET))))
        assert heard.decided - heard.ended < 0.31


def test_a_slow_recogniser_is_asked_once_a_silence_and_its_guess_is_kept() -> None:
    slow = CountingRecogniser(streaming=False, first_guess=0.16)
    listening = Listening(slow, LoudnessVad())
    events = hear(listening, sound((0.5, QUIET), (1.0, LOUD), (2.0, QUIET)))
    assert (slow.guesses, slow.held) == (1, [True])
    assert kinds(events) == [SpeechStarted, SpeechEnded, Utterance]
    ended = next(event for event in events if isinstance(event, SpeechEnded))
    assert ended.at - only_utterance(events).ended < 0.25  # early: time for an earcon while it thinks


def test_who_goes_on_after_an_early_end_is_heard_to_the_end() -> None:
    listening = Listening(CountingRecogniser(streaming=False, first_guess=0.16), LoudnessVad())
    events = hear(listening, sound((0.5, QUIET), (1.0, LOUD), (0.4, QUIET), (0.7, LOUD), (2.0, QUIET)))
    assert kinds(events) == [SpeechStarted, SpeechEnded, SpeechStarted, SpeechEnded, Utterance]
    assert only_utterance(events).text == "1.7"


def test_in_a_turn_no_end_is_told_before_it_is_one_and_no_word_is_lost_between_pieces() -> None:
    recogniser = CountingRecogniser(streaming=False, first_guess=0.16)
    listening = Listening(recogniser, LoudnessVad())
    listening.expect(Expectation("talk", patience=Patience.TURN))
    spans = [(0.5, QUIET), *[(3.0, LOUD), (0.5, QUIET)] * 10, (3.0, QUIET)]
    events = hear(listening, sound(*spans))
    said = [event for event in events if isinstance(event, Utterance)]
    assert len(said) > 1
    assert sum(float(part.text) for part in said) == pytest.approx(30.0, abs=0.1)
    assert [kind for kind in kinds(events) if kind is not Utterance] == [SpeechStarted, SpeechEnded]
    assert all(first.decided <= second.began + 1e-6 for first, second in itertools.pairwise(said))


def test_a_guess_that_speech_has_overtaken_is_not_handed_over() -> None:
    recogniser = CountingRecogniser(streaming=False, first_guess=0.16)
    listening = Listening(recogniser, LoudnessVad())
    listening.expect(Expectation("talk", patience=Patience.TURN))
    hear(listening, sound((0.5, QUIET), (3.0, LOUD), (1.2, QUIET), (10.0, LOUD), (0.4, QUIET)))
    assert recogniser.guesses == 1
    assert recogniser.held == [False]


def test_what_is_expected_counts_from_the_next_utterance() -> None:
    recogniser = CountingRecogniser()
    listening = Listening(recogniser, LoudnessVad())
    listening.expect(Expectation("first"))
    hear(listening, sound((0.5, QUIET), (0.5, LOUD)))
    listening.expect(Expectation("second"))
    hear(listening, sound((0.5, LOUD), (2.0, QUIET), (0.5, LOUD)))
    assert recogniser.begun[-1] == "second"
    assert set(recogniser.begun[:-1]) == {"first"}


def test_the_first_consonant_belongs_to_the_utterance() -> None:
    measured: list[int] = []

    def measure(samples: Samples) -> Prosody:
        measured.append(len(samples))
        return Prosody(0.0, None, None, 0.0, 0.0, 0.0, 0.0)

    listening = Listening(CountingRecogniser(), LoudnessVad(), measure=measure)
    hear(listening, sound((2.0, QUIET), (1.0, LOUD), (2.0, QUIET)))
    assert measured[0] / EAR_RATE == pytest.approx(0.4 + 1.0 + 0.7, abs=0.25)


def test_who_speaks_right_after_an_end_loses_nothing() -> None:
    recogniser = CountingRecogniser()
    listening = Listening(recogniser, LoudnessVad())
    listening.expect(Expectation("a", phrases=frozenset({"1.0"})))
    events = hear(listening, sound((0.5, QUIET), (1.0, LOUD), (0.31, QUIET), (1.0, LOUD), (2.0, QUIET)))
    assert [event.text for event in events if isinstance(event, Utterance)] == ["1.0", "1.0"]


def test_the_guides_own_voice_is_taken_out_and_a_blip_of_it_is_no_beginning() -> None:
    class Perfect:
        def process(self, frame: Samples, reference: Samples | None) -> Samples:
            return frame if reference is None else np.asarray(frame - reference, np.int16)

    listening = Listening(CountingRecogniser(), LoudnessVad(), Perfect())
    played = sound((0.5, QUIET), (3.0, LOUD), (1.0, QUIET))
    assert hear(listening, played, played) == []
    left_over = sound((1.0, QUIET), (0.12, LOUD), (3.38, QUIET))
    assert hear(listening, played + left_over, played) == []


def test_times_go_on_after_a_loss() -> None:
    listening = Listening(CountingRecogniser(), LoudnessVad())
    listening.resume(100 * EAR_RATE)
    heard = only_utterance(hear(listening, sound((1.0, QUIET), (1.0, LOUD), (2.0, QUIET))))
    assert heard.began == pytest.approx(101.0, abs=0.05)


def test_what_was_said_is_never_shown() -> None:
    assert "secret" not in repr(Words("secret", "secret"))

"""Laws of the offer: two kinds, words among them, once in ten minutes, and "not now" is the end of it."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceguide.core.events import Cue
from voiceguide.core.figures import OFFER_REST
from voiceguide.core.fusion import Fusion

WORDS = ("flooding.explicit", "flooding.body", "escalation", "contempt", "criticism", "withdrawal", "defence")
VOICE = ("voice.raised", "voice.fast")
TURNS = ("turns.repeat", "turns.clipped", "turns.interrupting", "turns.silence")

confidences = st.floats(0.0, 1.0)
word_cues = st.builds(Cue, st.sampled_from(WORDS), confidences, st.just("words"))
voice_cues = st.builds(Cue, st.sampled_from(VOICE), confidences, st.just("voice"))
turn_cues = st.builds(Cue, st.sampled_from(TURNS), confidences, st.just("turns"))
any_cues = st.lists(word_cues | voice_cues | turn_cues, max_size=4).map(tuple)
sensitivities = st.sampled_from(("less", "normal", "more"))
gaps = st.floats(0.0, 200.0)
evenings = st.lists(st.tuples(gaps, any_cues), max_size=60)


def words(kind: str, confidence: float = 0.9) -> Cue:
    return Cue(kind, confidence)


def voice(kind: str = "voice.raised", confidence: float = 0.8) -> Cue:
    return Cue(kind, confidence, "voice")


def told(fusion: Fusion, *moments: tuple[float, tuple[Cue, ...]]) -> list[float]:
    """When a pause was offered."""
    offers = []
    for now, cues in moments:
        fusion, offer = fusion.heard(cues, now)
        if offer:
            offers.append(now)
    return offers


def test_words_and_a_raised_voice_within_a_minute_earn_one_question() -> None:
    assert told(Fusion(), (0, (words("escalation"),)), (20, (voice(),))) == [20]
    assert told(Fusion(), (0, (words("escalation"), voice()))) == [0]


def test_a_minute_later_the_first_sign_is_forgotten() -> None:
    assert told(Fusion(), (0, (words("escalation"),)), (61, (voice(),))) == []


def test_one_kind_of_words_never_asks_however_often() -> None:
    assert told(Fusion(), *((float(at), (words("escalation", 1.0),)) for at in range(0, 300, 5))) == []


def test_contempt_twice_counts_as_two() -> None:
    assert told(Fusion(), (0, (words("contempt"),)), (30, (words("contempt"),))) == [30]
    assert told(Fusion(), (0, (words("contempt"), words("contempt")))) == []


def test_two_detectors_on_the_same_sentence_are_one_sign() -> None:
    assert told(Fusion(), (0, (words("escalation"), words("criticism")))) == []
    assert told(Fusion(), (0, (words("escalation"),)), (9, (words("criticism"),))) == [9]


def test_unsure_signs_do_not_add_up_to_a_question() -> None:
    assert told(Fusion(), (0, (words("defence", 0.5),)), (5, (voice(confidence=0.4),))) == []


def test_sensitivity_moves_the_bar() -> None:
    moments = ((0.0, (words("criticism", 0.8),)), (9.0, (voice("voice.raised", 0.6),)))
    assert told(Fusion(sensitivity="less"), *moments) == []
    assert told(Fusion(sensitivity="normal"), *moments) == []
    assert told(Fusion(sensitivity="more"), *moments) == [9.0]
    assert Fusion().adjusted(-1).adjusted(-1).sensitivity == "less"
    assert Fusion().adjusted(1).sensitivity == "more"
    with pytest.raises(ValueError, match="sensitivity"):
        Fusion().with_sensitivity("loud")


def test_after_an_offer_it_takes_more_until_a_calm_minute() -> None:
    again = (words("escalation", 0.9), voice(confidence=0.8))
    start, _ = Fusion().heard(again, 0.0)
    simmering = [(float(at), (words("escalation", 0.9),)) for at in range(30, 620, 30)]
    assert told(start, *simmering, (621.0, again)) == []
    assert told(start, (621.0, again)) == [621.0]


@settings(deadline=None)
@given(evenings, sensitivities)
def test_at_most_one_offer_in_ten_minutes(evening: list[tuple[float, tuple[Cue, ...]]], sensitivity: str) -> None:
    now, moments = 0.0, []
    for gap, cues in evening:
        now += gap
        moments.append((now, cues))
    offers = told(Fusion(sensitivity=sensitivity), *moments)
    assert all(later - earlier >= OFFER_REST for earlier, later in itertools.pairwise(offers))


@settings(deadline=None)
@given(evenings, evenings, sensitivities)
def test_nothing_is_offered_after_a_spoken_not_now(
    before: list[tuple[float, tuple[Cue, ...]]], after: list[tuple[float, tuple[Cue, ...]]], sensitivity: str
) -> None:
    fusion, now = Fusion(sensitivity=sensitivity), 0.0
    for gap, cues in before:
        now += gap
        fusion, _ = fusion.heard(cues, now)
    fusion = fusion.declined()
    for gap, cues in after:
        now += gap
        fusion, offer = fusion.heard(cues, now)
        assert not offer
    assert not fusion.fresh().silenced


@settings(deadline=None)
@given(st.lists(st.tuples(gaps, st.lists(voice_cues | turn_cues, max_size=5).map(tuple)), max_size=60), sensitivities)
def test_the_voice_without_words_never_asks(evening: list[tuple[float, tuple[Cue, ...]]], sensitivity: str) -> None:
    fusion, now = Fusion(sensitivity=sensitivity), 0.0
    for gap, cues in evening:
        now += gap
        fusion, offer = fusion.heard(cues, now)
        assert not offer


@settings(deadline=None)
@given(evenings, st.integers(0, 60), sensitivities)
def test_a_twin_restored_from_plain_data_answers_alike(
    evening: list[tuple[float, tuple[Cue, ...]]], killed: int, sensitivity: str
) -> None:
    one = two = Fusion(sensitivity=sensitivity)
    now = 0.0
    for index, (gap, cues) in enumerate(evening):
        now += gap
        one, first = one.heard(cues, now)
        if index == killed:
            two = Fusion.from_plain(json.loads(json.dumps(two.to_plain())))
        two, second = two.heard(cues, now)
        assert first == second
        assert one == two


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_clock_set_back_never_brings_a_second_offer_at_once(first: float, second: float) -> None:
    cues = (words("flooding.body", 1.0), voice(confidence=1.0))
    fusion, offer = Fusion().heard(cues, first)
    assert offer
    fusion, offer = fusion.heard(cues, second)
    assert offer == (second - first >= OFFER_REST)


def test_an_empty_snapshot_is_a_calm_evening_and_nonsense_is_refused() -> None:
    assert Fusion.from_plain({}) == Fusion()
    for broken in ({"sensitivity": "loud"}, {"signs": [["a"]]}, {"offered": "noon"}):
        with pytest.raises((ValueError, TypeError)):
            Fusion.from_plain(broken)

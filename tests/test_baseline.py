"""Laws of the usual: it is each voice's own, it follows slowly, and nothing but seconds of raised speech lifts a cue."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceguide.core.events import Cue
from voiceguide.runtime.baseline import Baseline, VoiceWatch
from voiceguide.runtime.ports import Prosody
from voiceguide.runtime.turns import Turns

MAN, WOMAN = 4.0, 15.0  # semitones re 100 Hz


def said(level: float = -30.0, pitch: float = MAN, tilt: float = -10.0, seconds: float = 3.0, rate: float = 4.0) -> Prosody:
    return Prosody(level, pitch, pitch + 4.0, tilt, seconds, 0.65, rate)


def calm(count: int, seed: int = 1, pitch: float = MAN, spread: float = 1.0) -> list[Prosody]:
    chance = random.Random(seed)
    return [
        said(chance.gauss(-30, 2 * spread), chance.gauss(pitch, 1.5 * spread), chance.gauss(-10, 1.5 * spread))
        for _ in range(count)
    ]


def raised(count: int, seed: int = 2, pitch: float = MAN) -> list[Prosody]:
    return [
        replace(one, level_db=one.level_db + 10, pitch_st=(one.pitch_st or 0) + 5, pitch_high_st=(one.pitch_high_st or 0) + 6,
                tilt_db=one.tilt_db + 6)
        for one in calm(count, seed, pitch)
    ]  # fmt: skip


def talk(watch: VoiceWatch, *parts: Prosody, at: float = 0.0, who: int | None = None) -> tuple[VoiceWatch, list[Cue], float]:
    told: list[Cue] = []
    for one in parts:
        at += one.active_seconds + 1.0
        watch, cues = watch.heard(one, at, who)
        told += cues
    return watch, told, at


def kinds(cues: Iterable[Cue]) -> list[str]:
    return [cue.kind for cue in cues]


def test_a_voice_that_stays_up_is_noticed_within_twenty_seconds() -> None:
    watch, told, at = talk(VoiceWatch(), *calm(30))
    assert told == []
    _, told, _ = talk(watch, *raised(5), at=at)
    assert kinds(told) == ["voice.raised"]
    assert told[0].family == "voice"
    assert 0.5 <= told[0].confidence <= 0.9


def test_nothing_is_said_before_the_usual_is_known() -> None:
    assert talk(VoiceWatch(), *calm(4), *raised(3))[1] == []
    assert not Baseline().excess(said()).known


def test_one_loud_word_is_not_a_raised_voice() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    shout = replace(raised(1)[0], active_seconds=1.0, level_db=-10.0)
    assert talk(watch, shout, *calm(5, 3), shout, *calm(5, 4), at=at)[1] == []


def test_a_cheer_of_a_few_seconds_is_not_a_raised_voice() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    cheer = [replace(one, active_seconds=2.5) for one in raised(2)]
    assert talk(watch, *cheer, *calm(5, 3), at=at)[1] == []


def test_laughter_has_no_words_and_is_left_alone() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    for one in raised(10):
        at += 4.0
        watch, cues = watch.heard(one, at, words=0)
        assert cues == ()


def test_a_child_who_cries_into_the_microphone_is_told_apart_by_the_want_of_words_alone() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    crying = [replace(one, pitch_st=(one.pitch_st or 0) + 12, pitch_high_st=(one.pitch_high_st or 0) + 14) for one in raised(10)]
    assert all(watch.baseline.excess(one, None).agreed for one in crying), "the sound itself is not told from a raised voice"
    wordless, worded = watch, watch
    told: list[Cue] = []
    for one in crying:
        at += 4.0
        wordless, cues = wordless.heard(one, at, words=0)
        assert cues == ()
        worded, cues = worded.heard(one, at, words=9)
        told += cues
    assert "voice.raised" in kinds(told)


@pytest.mark.parametrize(
    "ringing",
    [
        Prosody(-10.0, 25.0, 25.1, 5.0, 4.0, 0.99, 0.2),  # a bell: one steady tone
        Prosody(-10.0, None, None, 5.0, 4.0, 0.0, 0.0),  # a blender: no pitch at all
        Prosody(-5.0, 20.0, 36.0, 5.0, 4.0, 0.6, 3.0),  # a tune: leaps
    ],
)
def test_a_telephone_or_a_machine_neither_fires_nor_teaches(ringing: Prosody) -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    after, told, _ = talk(watch, *[ringing] * 10, at=at)
    assert told == []
    assert after.baseline == watch.baseline


@pytest.mark.parametrize("step", [-14.0, 14.0])
def test_a_step_of_the_gain_does_not_fire_and_is_followed_at_once(step: float) -> None:
    watch, _, at = talk(VoiceWatch(), *calm(40))
    moved = [replace(one, level_db=one.level_db + step) for one in calm(30, 5)]
    watch, told, at = talk(watch, *moved, at=at)
    assert told == []
    assert abs(watch.baseline.excess(said(-30.0 + step)).level) < 1.0
    louder = [replace(one, level_db=one.level_db + step) for one in raised(6)]
    assert kinds(talk(watch, *louder, at=at)[1]) == ["voice.raised"]


def test_levelled_sound_is_compared_without_its_level() -> None:
    chance = random.Random(4)
    flat = [replace(one, level_db=-20.0 + chance.gauss(0, 0.2)) for one in calm(30)]
    watch, _, at = talk(VoiceWatch(), *flat)
    found = watch.baseline.excess(replace(raised(1)[0], level_db=-20.0))
    assert found.level_free
    assert found.score == pytest.approx((found.pitch + found.tilt) / 2)
    up = [replace(one, level_db=-20.0) for one in raised(8)]
    assert kinds(talk(watch, *up, at=at)[1]) == ["voice.raised"]


def test_the_setting_for_automatic_gain_never_looks_at_the_level() -> None:
    baseline = Baseline(automatic_gain=True)
    for one in calm(20):
        baseline = baseline.update(one)
    assert baseline.excess(said(level=0.0)).score == pytest.approx(baseline.excess(said(level=-60.0)).score)


def test_each_partner_is_compared_with_their_own_usual() -> None:
    baseline = Baseline()
    for man, woman in zip(calm(15), calm(15, 7, WOMAN), strict=True):
        baseline = baseline.update(man, 0).update(woman, 1)
    high = said(pitch=WOMAN)
    assert baseline.excess(high, 1).pitch < 1.0
    assert baseline.excess(high, 0).pitch > 2.5


def test_a_second_voice_in_the_room_is_not_a_raised_one() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    mixed = [one for pair in zip(calm(30, 8), calm(30, 9, WOMAN), strict=True) for one in pair]
    assert talk(watch, *mixed, at=at)[1] == []


def test_a_long_quarrel_moves_the_usual_only_slowly_and_a_loud_evening_in_the_end() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(60))
    one = said(-20.0, MAN + 5, -4.0)
    after, _, at = talk(watch, *raised(15), at=at)  # a minute of quarrel
    assert after.baseline.excess(one).score > 0.8 * watch.baseline.excess(one).score
    evening, _, _ = talk(after, *raised(300), at=at)
    assert evening.baseline.excess(one).score < 0.5


def test_a_cue_is_told_again_only_while_it_lasts_and_not_each_time() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(60))
    _, told, end = talk(watch, *raised(30), at=at)
    assert 2 <= len(told) <= (end - at) / 45.0 + 1


def test_faster_speech_is_a_weak_sign_of_its_own() -> None:
    watch, _, at = talk(VoiceWatch(), *calm(30))
    fast = [replace(one, syllables_per_second=7.0) for one in calm(10, 6)]
    told = talk(watch, *fast, at=at)[1]
    assert kinds(told)[:1] == ["voice.fast"]
    assert all(cue.confidence <= 0.6 for cue in told)


def test_sensitivity_orders_how_soon_a_cue_comes() -> None:
    waits = []
    for word in ("more", "normal", "less"):
        watch, _, at = talk(VoiceWatch(sensitivity=word), *calm(30))
        for count in range(1, 30):
            if talk(watch, *raised(count), at=at)[1]:
                waits.append(count)
                break
    assert waits == sorted(waits)
    assert len(waits) == 3


numbers = st.floats(-120, 60)
prosodies = st.builds(
    Prosody, numbers, st.none() | numbers, st.none() | numbers, numbers, st.floats(0, 120), st.floats(0, 1), st.floats(0, 30)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(prosodies, st.sampled_from((None, 0, 1)), st.floats(0, 1e5)), max_size=40))
def test_no_sound_is_too_strange_to_watch(heard: list[tuple[Prosody, int | None, float]]) -> None:
    watch = VoiceWatch()
    for prosody, who, at in heard:
        watch, cues = watch.heard(prosody, at, who)
        assert all(0.0 <= cue.confidence <= 1.0 and cue.family == "voice" for cue in cues)


# -- turns ---------------------------------------------------------------------------------------------------------------


def said_in_turn(*texts: str, who: int | None = None) -> list[str]:
    turns, told = Turns(), []
    for at, text in enumerate(texts):
        turns, cues = turns.heard(text, 5.0 * at, who)
        told += kinds(cues)
    return told


def test_making_the_same_point_again_is_a_sign() -> None:
    assert said_in_turn("you said you would call me at noon", "fine", "you said you would call me") == ["turns.repeat"]
    assert said_in_turn("listen to me now please listen to me now please") == ["turns.repeat"]
    assert said_in_turn("shall we have rice or noodles tonight", "i would rather have the soup again") == []


def test_three_turns_of_one_word_are_one_sign_and_two_are_none() -> None:
    assert said_in_turn("fine", "whatever") == []
    assert said_in_turn("fine", "whatever", "sure", "nothing") == ["turns.clipped"]
    assert said_in_turn("fine", "i am in the kitchen", "sure", "nothing") == []


def test_what_another_said_is_not_repeating_oneself() -> None:
    turns, _ = Turns().heard("you said you would call me at noon", 0.0, 0)
    assert turns.heard("i said i would but you said you would call me at noon", 4.0, 1)[1] == ()


def test_silence_counts_from_the_second_time_and_only_in_a_row() -> None:
    turns, first = Turns().unanswered()
    assert first == ()
    assert kinds(turns.unanswered()[1]) == ["turns.silence"]
    answered, _ = turns.heard("i am thinking about it", 3.0)
    assert answered.unanswered()[1] == ()


def test_only_a_burst_of_interruptions_is_a_sign() -> None:
    turns, told = Turns(), []
    for at in (0.0, 20.0, 40.0, 45.0, 46.0):
        turns, cues = turns.interrupted(at)
        told += [at for _ in cues]
    assert told == [45.0]


def test_what_was_said_shows_in_no_repr() -> None:
    turns, _ = Turns().heard("my very private sentence here", 0.0, 0)
    assert "private" not in repr(turns)
    assert "grams" not in repr(turns)

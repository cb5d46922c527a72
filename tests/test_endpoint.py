"""When an utterance begins and ends: nobody is cut off for pausing to think, nobody waits after a whole answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceguide.core.effects import Patience
from voiceguide.runtime.endpoint import LONGEST, SILENCES, Endpointer, Mark

FRAME = 0.032
TOLERANCE = FRAME / 2 + 1e-6


def run(endpointer: Endpointer, *spans: tuple[float, float]) -> list[tuple[float, Mark]]:
    """(seconds, probability) spans in; (time, mark) out."""
    found = []
    for seconds, probability in spans:
        for _ in range(round(seconds / FRAME)):
            mark = endpointer.feed(probability)
            if mark is not None:
                found.append((endpointer.now, mark))
    return found


def spoken(patience: Patience, *, patient: bool = False, complete: bool = False) -> tuple[Endpointer, float]:
    """An endpointer after a second of speech, and the silence that it then took to end."""
    endpointer = Endpointer(FRAME)
    endpointer.expect(patience, patient=patient)
    run(endpointer, (1.0, 0.0), (1.0, 0.9))
    assert endpointer.speaking
    endpointer.complete = complete
    ended = run(endpointer, (10.0, 0.0))
    assert [mark for _, mark in ended] == [Mark.ENDED]
    return endpointer, ended[0][0] - endpointer.last_sound


@pytest.mark.parametrize("patience", list(Patience))
@pytest.mark.parametrize("patient", [False, True])
@pytest.mark.parametrize("complete", [False, True])
def test_the_silence_that_ends_is_the_one_of_the_patience(patience: Patience, patient: bool, complete: bool) -> None:
    _, silence = spoken(patience, patient=patient, complete=complete)
    agreed = SILENCES[patience].complete if complete else SILENCES[patience].otherwise
    assert silence == pytest.approx(agreed * (2 if patient else 1), abs=TOLERANCE)


def test_a_whole_answer_ends_within_the_agreed_300_ms_and_a_turn_waits_two_seconds() -> None:
    assert 0.15 <= spoken(Patience.CLOSED, complete=True)[1] <= 0.3
    assert spoken(Patience.TURN)[1] == pytest.approx(2.0, abs=TOLERANCE)
    assert spoken(Patience.TURN, patient=True)[1] == pytest.approx(4.0, abs=TOLERANCE)


def test_going_on_takes_back_that_it_was_complete() -> None:
    endpointer = Endpointer(FRAME)
    run(endpointer, (0.5, 0.9), (0.2, 0.0))
    endpointer.complete = True
    assert run(endpointer, (0.3, 0.9), (0.5, 0.0)) == []
    assert endpointer.speaking


@given(st.lists(st.tuples(st.floats(0.1, 2.0), st.floats(0.0, 0.6)), min_size=1, max_size=8))
def test_brief_pauses_never_split(parts: list[tuple[float, float]]) -> None:
    endpointer = Endpointer(FRAME)
    spans = [span for speech, pause in parts for span in ((speech, 0.9), (pause, 0.1))]
    marks = [mark for _, mark in run(endpointer, (0.5, 0.9), *spans)]
    assert marks == [Mark.BEGAN]


@given(st.lists(st.floats(0.0, 1.0), max_size=3000), st.sampled_from(list(Patience)))
def test_beginnings_and_ends_alternate_and_nothing_lasts_longer_than_agreed(noise: list[float], patience: Patience) -> None:
    endpointer = Endpointer(FRAME)
    endpointer.expect(patience)
    speaking, since = False, 0.0
    for probability in noise:
        mark = endpointer.feed(probability)
        if mark is not None:
            assert (mark is Mark.BEGAN) is not speaking
            speaking, since = mark is not Mark.ENDED, endpointer.now
        assert endpointer.speaking is speaking
        assert not speaking or endpointer.now - since <= LONGEST + FRAME
        assert endpointer.began <= endpointer.last_sound <= endpointer.now + 1e-9


def test_a_click_is_no_beginning() -> None:
    assert run(Endpointer(FRAME), (1.0, 0.0), (2 * FRAME, 0.95), (1.0, 0.0)) == []


def test_the_beginning_is_where_the_speech_began_not_where_it_was_believed() -> None:
    endpointer = Endpointer(FRAME)
    (believed, mark), *_ = run(endpointer, (1.0, 0.0), (0.5, 0.9))
    assert mark is Mark.BEGAN
    assert endpointer.began == pytest.approx(31 * FRAME)
    assert believed == pytest.approx(34 * FRAME)


def test_while_the_guide_speaks_more_is_asked_of_a_beginning() -> None:
    endpointer = Endpointer(FRAME)
    assert [endpointer.feed(0.9, over_playback=True) for _ in range(5)] == [None] * 5
    assert endpointer.feed(0.9, over_playback=True) is Mark.BEGAN


def test_a_long_story_is_handed_over_in_pieces_at_its_breaths_and_goes_on() -> None:
    endpointer = Endpointer(FRAME)
    endpointer.expect(Patience.TURN)
    marks = run(endpointer, *((3.0, 0.9), (0.4, 0.0)) * 12)
    assert [mark for _, mark in marks] == [Mark.BEGAN, Mark.CUT, Mark.CUT, Mark.CUT]
    assert endpointer.speaking


def test_a_story_without_a_breath_is_cut_in_time() -> None:
    endpointer = Endpointer(FRAME)
    endpointer.expect(Patience.TURN)
    marks = run(endpointer, (50.0, 0.9))
    assert [mark for _, mark in marks] == [Mark.BEGAN, Mark.CUT, Mark.CUT]


def test_a_television_does_not_hold_a_closed_answer_open() -> None:
    endpointer = Endpointer(FRAME)
    (_, began), (at, ended), *_ = run(endpointer, (30.0, 0.9))
    assert (began, ended) == (Mark.BEGAN, Mark.ENDED)
    assert at == pytest.approx(LONGEST, abs=0.2)


def test_an_expectation_never_cuts_the_utterance_under_way() -> None:
    endpointer = Endpointer(FRAME)
    endpointer.expect(Patience.TURN)
    run(endpointer, (1.0, 0.9))
    endpointer.expect(Patience.CLOSED)
    assert run(endpointer, (1.5, 0.0)) == []

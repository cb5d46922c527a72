"""Every state times every rail: what must always work, checked everywhere."""

from __future__ import annotations

import pytest

from tests.couple import PLANS, Couple, in_state
from voiceguide.core.effects import Close, Hush, Listen, Say
from voiceguide.core.events import Cue, Heard
from voiceguide.core.machine import State
from voiceguide.core.session import Session
from voiceguide.language.contract import contract

RAILS = sorted(contract().rails)
HEARING = [state for state in State if state not in (State.MUTED, State.CLOSED)]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("rail", RAILS)
def test_every_rail_in_every_state_leaves_the_session_speaking_or_waiting(state: State, rail: str) -> None:
    couple = in_state(state)
    couple.hear(rail, {"return_seconds": 1800.0} if rail == "pause" else {})
    assert couple.state in State
    snapshot = couple.session.snapshot
    if couple.state in (State.ASKING, State.CONFIRMING, State.RATING, State.CHOOSING, State.LEADING, State.BEAT, State.HELD):
        assert snapshot.unsaid or snapshot.clocks, "stuck: neither speaking nor waiting"


@pytest.mark.parametrize("state", HEARING)
def test_stop_closes_at_once_from_everywhere(state: State) -> None:
    couple = in_state(state)
    effects = couple.interrupt("stop")
    assert couple.state is State.CLOSED
    assert any(isinstance(e, Close) for e in effects)
    assert [e.prompt for e in effects if isinstance(e, Say)] == ["close.ending"]


@pytest.mark.parametrize("state", HEARING)
def test_stop_silences_what_is_being_said(state: State) -> None:
    couple = in_state(state)
    couple.listen()
    couple.interrupt("help")
    assert isinstance(couple.interrupt("stop")[0], Hush)


@pytest.mark.parametrize("state", [s for s in State if s is not State.MUTED])
def test_a_pause_can_be_called_from_everywhere_and_leads_to_a_return_time(state: State) -> None:
    couple = in_state(state).hear("pause").listen()
    asks_or_has_one = couple.state in (State.ASKING, State.CONFIRMING) or couple.session.snapshot.pause is not None
    assert asks_or_has_one
    couple.wait(200.0)
    assert couple.state is State.PAUSED, "silence leads to a pause with an end"


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", ["threat", "fear", "coercion", "violence", "self_harm", "danger"])
def test_safety_ends_everything_with_the_same_words_and_cancels_the_return(state: State, kind: str) -> None:
    couple = in_state(state).listen()
    couple.said.clear()
    couple.send(Heard("talk", cues=(Cue(f"safety.{kind}", 1.0),)))
    if state is State.MUTED:
        assert couple.said == []
        return
    assert couple.state is State.CLOSED
    assert couple.session.snapshot.clocks == ()
    assert couple.session.snapshot.pause is None
    assert state is State.CLOSED or couple.said[0] == "close.ending"
    extra = {"self_harm": ["safety.self_harm"] * 2, "danger": ["safety.danger"]}.get(kind, [])
    assert [p for p in couple.said if p != "close.ending"] == extra


@pytest.mark.parametrize("state", [State.RESTING, State.CLOSED, State.PAUSED])
@pytest.mark.parametrize("intent", ["talk", "none", "hold", "go_on", "back", "skip", "more", "slower", "louder", "yes", "no"])
def test_two_people_who_talk_about_dinner_are_never_answered(state: State, intent: str) -> None:
    couple = in_state(state).listen()
    couple.said.clear()
    couple.hear(intent)
    assert couple.said in ([], ["pause.early"] if intent == "go_on" else [])


def test_muted_hears_only_the_opening_phrase() -> None:
    couple = in_state(State.MUTED).listen()
    couple.said.clear()
    for rail in RAILS:
        if rail != "wake":
            couple.hear(rail)
    assert couple.said == []
    couple.hear("wake")
    assert couple.state is State.RESTING


def test_a_muted_pause_still_calls_both_back() -> None:
    couple = in_state(State.PAUSED).hear("mute").wait(1600.0)
    assert "return.call" in couple.said


def test_a_beat_is_over_after_five_seconds_and_can_be_made_longer() -> None:
    couple = in_state(State.BEAT)
    couple.wait(5.5)
    assert couple.state is State.LEADING
    couple = in_state(State.BEAT).hear("more")
    assert couple.wait(4.0).state is State.BEAT
    assert couple.wait(7.0).state is State.LEADING


def test_waiting_never_becomes_an_open_silence() -> None:
    couple = in_state(State.HELD)
    couple.wait(7 * 60.0)
    assert "hold.still_here" in couple.said
    assert couple.state in (State.ASKING, State.CONFIRMING, State.PAUSED)


def test_an_open_question_always_listens() -> None:
    for state in State:
        couple = Session(PLANS, in_state(state).session.snapshot)
        assert couple.snapshot.asked is None or couple.snapshot.asked.expected


def test_repeat_says_the_open_question_again_in_other_words() -> None:
    couple = in_state(State.ASKING).listen()
    effects = couple.interrupt("repeat")
    says = [e for e in effects if isinstance(e, Say)]
    assert says[-1].prompt == "pause.ask"
    assert says[-1].wording == "again"
    assert any(isinstance(e, Listen) for e in effects)


def test_a_couple_that_only_talks_hears_nothing() -> None:
    couple = Couple().begin().listen()
    couple.said.clear()
    for _ in range(300):
        couple.hear("talk").wait(5.0)
    assert couple.said == []

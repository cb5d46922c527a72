"""The product's own talks, walked by a couple that performs nothing: what must hold whatever the words are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.couple import Couple
from voiceguide.core import figures
from voiceguide.core.effects import Remember, Say
from voiceguide.core.events import Heard
from voiceguide.core.hints import LONG
from voiceguide.core.machine import State
from voiceguide.core.plan import Kind, Plan, Position, Step
from voiceguide.core.snapshot import Checkin, Clock, Household, Promised, Snapshot, from_plain, to_plain
from voiceguide.language.contract import contract
from voiceguide.language.pack import Pack
from voiceguide.language.plans import load_plans

PLANS = load_plans()
TALKS = ("repair", "aftermath", "prepare", "follow_up", "between", "outside")
HEDGES = ("conditional", "feelings", "but", "passive", "blame", "minimising", "impatient", "vague", "self_pity", "intention")
PARTS = {
    "hint.apology": HEDGES,
    "hint.apology.rest": HEDGES,
    "hint.promise": ("act", "cue", "visible", "bounded", "own", LONG),
    "hint.request": ("act", "visible", "when", "positive", LONG),
}
THEMES = ("reliability", "presence", "respect", "honesty")
KNOWN = Household(names=("Ana", "Ben"), consented=True)
PROMISE = "when i am late i will text you before six"
EVERY_STEP = [(plan, step) for plan in PLANS for step in PLANS[plan].steps]


def couple_at(plan: str, step: str = "", household: Household = KNOWN) -> Couple:
    """A couple whose talk stands at a step that has just been asked."""
    couple = Couple(PLANS, Snapshot(household=household)).begin().listen()
    opener = PLANS[plan].opened_by[0] if PLANS[plan].opened_by else "wake"
    couple.hear(opener)
    if step:
        couple = Couple(PLANS, _moved(couple.session.snapshot, plan, step), couple.now).begin()
    return couple.listen()


def _moved(snapshot: Snapshot, plan: str, step: str) -> Snapshot:
    plain = to_plain(snapshot)
    return from_plain({**plain, "position": {"plan": plan, "step": step}, "visits": {}})


@pytest.mark.parametrize("name", TALKS)
def test_each_of_the_talks_can_be_opened_by_a_wish(name: str) -> None:
    assert PLANS[name].opened_by
    assert couple_at(name).state in (State.LEADING, State.RESTING)


def test_an_eighth_talk_needs_no_python() -> None:
    steps = {"hello": Step("hello", Kind.SAY, prompt="talk.stay", next="@rest")}
    couple = Couple({**PLANS, "eighth": Plan("eighth", "hello", steps, ("money",))}, Snapshot(household=KNOWN)).begin().listen()
    assert "talk.stay" in couple.hear("money").listen().said
    assert couple.state is State.RESTING


def test_every_hint_and_every_theme_has_its_words() -> None:
    prompts = Pack.load("en").prompts
    for plan in PLANS.values():
        for step in plan.steps.values():
            wanted = [f"{step.hints}.{part}" for part in PARTS.get(step.hints, ()) if part not in step.ignores]
            wanted += [f"{step.prompt}.{theme}" for theme in THEMES if step.varies]
            assert not set(wanted) - set(prompts), f"{plan.name}:{step.name}"
        assert f"where.{plan.name}" in prompts


@pytest.mark.parametrize(("plan", "step"), EVERY_STEP)
def test_every_answer_that_a_step_waits_for_can_be_given_there(plan: str, step: str) -> None:
    found = PLANS[plan].steps[step]
    if found.kind not in (Kind.ASK, Kind.TALK):
        return
    hoped = contract().expectations[found.expect or "talk"]
    for way in found.on:
        intent = way.partition(".")[0]
        assert intent in hoped.intents or (intent == "talk" and hoped.free), f"{way} never comes: {found.expect}"


@pytest.mark.parametrize(("plan", "step"), EVERY_STEP)
def test_not_yet_and_a_long_silence_lead_on_from_every_step(plan: str, step: str) -> None:
    if PLANS[plan].steps[step].kind not in (Kind.ASK, Kind.TALK):
        return
    couple = couple_at(plan, step)
    couple.wait(30 * figures.MINUTE)
    snapshot = couple.session.snapshot
    assert snapshot.position != Position(plan, step) or couple.state is not State.LEADING


@pytest.mark.parametrize(("plan", "step"), EVERY_STEP)
def test_skip_leads_on_from_every_step(plan: str, step: str) -> None:
    if PLANS[plan].steps[step].kind not in (Kind.ASK, Kind.TALK):
        return
    couple = couple_at(plan, step).hear("skip")
    assert couple.session.snapshot.position != Position(plan, step)


def apology(*judged: str) -> Couple:
    couple = couple_at("repair", "deed")
    for one in judged:
        couple.hear("talk", {"judged": one})
    return couple.listen()


def test_an_owned_apology_is_never_sent_back() -> None:
    assert not [p for p in apology("owned", "owned", "owned", "owned").said if p.startswith("hint.")]


@pytest.mark.parametrize("kind", HEDGES)
def test_a_hedge_is_answered_with_one_way_to_say_it(kind: str) -> None:
    couple = apology(f"hedged.{kind}")
    assert couple.said[-1] == f"hint.apology.{kind}"
    assert couple.session.snapshot.position == Position("repair", "deed")


def test_after_two_hints_an_apology_is_accepted_as_it_is() -> None:
    hints = [p for p in apology(*["hedged.but"] * 6).said if p.startswith("hint.")]
    assert len(hints) == figures.HINTS


def dictated(*said: tuple[str, str]) -> Couple:
    """A promise said piece by piece: (text, judgement)."""
    couple = couple_at("repair", "promise")
    for text, judged in said:
        couple.hear("talk", {"judged": judged}, text=text)
    return couple.listen()


def remembered(couple: Couple, kind: str) -> list[Remember]:
    return [e for e in couple.effects if isinstance(e, Remember) and e.kind == kind]


def test_only_the_first_missing_part_is_asked_for() -> None:
    assert dictated(("i will try", "missing.act")).said[-1] == "hint.promise.act"


def test_what_was_missing_completes_what_was_said_before() -> None:
    couple = dictated(("i will text you", "missing.cue"), ("when i am late", "missing.act"))
    couple.hear("not_yet").hear("yes").listen()
    assert [p.text for p in couple.session.snapshot.household.promises] == ["when i am late i will text you"]


def test_a_promise_is_kept_only_when_it_was_confirmed() -> None:
    couple = dictated((PROMISE, "ok"), (PROMISE, "ok"))
    assert not remembered(couple, "promise")
    couple.hear("yes").listen()
    assert len(remembered(couple, "promise")) == 1
    assert couple.session.snapshot.household.promises[0].who == 0


def test_a_promise_too_long_to_hold_is_not_kept() -> None:
    couple = dictated(*[("i will " * 60, "ok")] * 3)
    assert couple.said.count("hint.promise.long") == figures.HINTS
    assert not couple.session.snapshot.household.promises


def test_words_that_were_not_confirmed_are_in_no_snapshot() -> None:
    couple = dictated((PROMISE, "ok"))
    assert PROMISE not in json.dumps(to_plain(couple.session.snapshot))


def turn(couple: Couple, seconds: float) -> Couple:
    couple.listen()
    couple.send(Heard("talk", seconds=seconds))
    return couple.wait(figures.TURN_QUIET + 1)


def test_the_floor_differs_by_at_most_one_turn() -> None:
    couple = couple_at("repair", "tell")
    for _ in range(12):
        step = couple.session.snapshot.position
        if step is None or step.step in ("fear", "sorry"):
            break
        match PLANS["repair"].steps[step.step].kind:
            case Kind.TALK:
                turn(couple, 100.0 if couple.session.snapshot.roles == (0, 1) else 20.0)
            case _:
                couple.hear("yes")
    first, second = couple.session.snapshot.floor
    assert abs(first - second) <= 2 * figures.TURN


def test_nobody_who_tells_is_interrupted_by_the_past() -> None:
    couple = couple_at("repair", "tell")
    couple.hear("talk", {"past": 1})
    assert couple.said[-1] == "repair.tell"
    couple.wait(figures.TURN_QUIET + 1)
    assert couple.said[-1] == "repair.past"


def test_the_talk_s_own_past_is_not_asked_about_again() -> None:
    couple = couple_at("repair", "past").hear("this_one")
    for _ in range(3):
        couple.hear("talk", {"past": 1}).wait(figures.TURN_QUIET + 1)
    assert couple.said.count("repair.past") <= 2  # the question itself and its wording after the restart


def with_promises(count: int, made: float = 0.0) -> Household:
    promises = tuple(Promised(i + 1, PROMISE, i % 2, "reliability", made) for i in range(count))
    return Household(names=("Ana", "Ben"), consented=True, promises=promises, given=count)


def test_kept_and_missed_are_counted() -> None:
    couple = couple_at("follow_up", household=with_promises(2))
    couple.hear("kept").hear("talk").listen().hear("missed").hear("talk").hear("yes").listen()
    first, second = couple.session.snapshot.household.promises
    assert (first.kept, first.missed, second.kept, second.missed) == (1, 0, 0, 1)


def test_going_back_from_a_count_takes_it_back() -> None:
    couple = couple_at("follow_up", household=with_promises(1)).hear("kept").listen().hear("back").hear("missed").listen()
    (promise,) = couple.session.snapshot.household.promises
    assert (promise.kept, promise.missed) == (0, 1)


def test_a_promise_can_be_let_go() -> None:
    couple = couple_at("follow_up", household=with_promises(1)).hear("missed").hear("talk").hear("no").hear("no").listen()
    assert not couple.session.snapshot.household.promises


def booked(couple: Couple) -> Couple:
    return couple_at("repair", "checkin").hear("yes").listen().wait(figures.MINUTE)


def test_a_check_in_opens_by_itself_once_and_at_the_hour_of_the_household() -> None:
    couple = booked(couple_at("repair"))
    couple.wait(6 * figures.DAY)
    assert "follow_up.called" not in couple.said
    couple.wait(3 * figures.DAY)
    assert couple.said.count("follow_up.called") == 2 * (1 + figures.REPROMPTS)
    assert couple.state is State.RESTING


def test_a_check_in_that_nobody_answers_comes_once_more_the_next_day_and_then_rests_as_not_asked() -> None:
    couple = booked(couple_at("repair"))
    (checkin,) = couple.session.snapshot.household.checkins
    couple.wait(checkin.due + figures.HOUR - couple.now)
    (again,) = couple.session.snapshot.household.checkins
    assert again.again and again.due == checkin.due + figures.DAY
    assert from_plain(to_plain(couple.session.snapshot)).household == couple.session.snapshot.household
    couple.wait(30 * figures.DAY)
    assert couple.said.count("follow_up.called") == 2 * (1 + figures.REPROMPTS)
    assert not couple.session.snapshot.household.checkins and not couple.session.snapshot.clocks
    kinds = [one.kind for one in couple.effects if isinstance(one, Remember)]
    assert kinds.count("not_asked") == 1 and "missed" not in kinds


@pytest.mark.parametrize("way", ["repair:asked", "prepare:asked", "between:asked", "outside:reminded", "follow_up:called"])
def test_whatever_the_guide_opens_by_itself_is_tried_twice_and_an_answer_is_enough(way: str) -> None:
    due = Couple(PLANS).now + figures.DAY
    waiting = replace(KNOWN, checkins=(Checkin(due, way),))
    clock = Clock(f"checkin:{due:.0f}", due, durable=True)
    couple = Couple(PLANS, Snapshot(number=1, household=waiting, clocks=(clock,))).begin()
    couple.wait(figures.DAY + 11 * figures.HOUR)
    plan, _, step = way.partition(":")
    first = couple.said.count(PLANS[plan].steps[step].prompt)
    assert first and [one.plan for one in couple.session.snapshot.household.checkins] == [way]
    couple.wait(10 * figures.DAY)
    assert couple.said.count(PLANS[plan].steps[step].prompt) == 2 * first


def test_a_check_in_that_was_answered_with_not_now_is_not_tried_again() -> None:
    couple = booked(couple_at("repair"))
    couple.wait(couple.session.snapshot.household.checkins[0].due - couple.now + 1.0).hear("no")
    assert not any(one.again for one in couple.session.snapshot.household.checkins)


def test_two_check_ins_due_at_once_are_one_sitting() -> None:
    couple = booked(couple_at("repair"))
    other = Couple(PLANS, couple.session.snapshot, couple.now).begin()
    again = couple_at("repair", "checkin", other.session.snapshot.household).hear("yes").listen()
    again.wait(9 * figures.DAY)
    assert again.said.count("follow_up.called") == 2 * (1 + figures.REPROMPTS)  # one sitting, tried twice


def test_a_check_in_waits_for_the_end_of_a_talk() -> None:
    couple = booked(couple_at("repair"))
    couple.wait(6 * figures.DAY)
    due = couple.session.snapshot.household.checkins[0].due
    couple.wait(due - couple.now - 5.0)
    couple.hear("pause").hear("return_time", {"return_seconds": 1500.0}).hear("yes").wait(600.0)
    assert "follow_up.called" not in couple.said


def test_first_use_says_the_limits_and_asks_both_before_any_talk() -> None:
    couple = Couple(PLANS).begin().listen().hear("fight").listen()
    assert couple.said[-1] == "setup.consent_first"
    couple.hear("yes").hear("yes")
    couple.hear("talk", text="ana").hear("yes").hear("talk", text="ben").hear("yes").listen()
    assert couple.session.snapshot.household.names == ("Ana", "Ben")
    assert couple.said[-1] == "repair.here"


def test_one_no_to_listening_is_a_full_answer() -> None:
    couple = Couple(PLANS).begin().listen().hear("fight").hear("yes").hear("no").listen()
    assert couple.said[-1] == "setup.refused"
    assert couple.state is State.RESTING


FREE = ("talk", "dictate", "own_name", "promise", "request", "apology", "say_back", "sorry_now", "question")
TOLD = [(plan, step) for plan, step in EVERY_STEP if PLANS[plan].steps[step].expect in FREE]


@pytest.mark.parametrize(("plan", "step"), TOLD)
def test_what_says_nothing_is_kept_nowhere_and_leads_nowhere_before_it_was_asked_again(plan: str, step: str) -> None:
    couple = couple_at(plan, step)
    if couple.session.snapshot.position != Position(plan, step):
        return  # passed over for this couple
    prompt = couple.said[-1]
    couple.hear("none", text="yes please").wait(figures.TURN_QUIET + 1)
    assert couple.session.snapshot.position == Position(plan, step)
    assert couple.said[-1] == prompt and couple.said.count(prompt) >= 2
    couple.hear("none", text="um").wait(figures.TURN_QUIET + 1).hear("none", text="what").wait(figures.TURN_QUIET + 1)
    assert couple.session.snapshot.position != Position(plan, step), "nobody is asked for ever"
    assert not any(isinstance(one, Remember) and one.kind in ("promise", "request", "phrase") for one in couple.effects)


@pytest.mark.parametrize(("plan", "step"), [(p, s) for p, s in TOLD if "unsure" in PLANS[p].steps[s].on])
def test_not_knowing_is_an_answer_where_the_plan_knows_it(plan: str, step: str) -> None:
    couple = couple_at(plan, step)
    if couple.session.snapshot.position == Position(plan, step):
        assert couple.hear("unsure", text="i don't know").session.snapshot.position != Position(plan, step)


def test_not_knowing_in_the_middle_of_telling_is_a_part_of_it() -> None:
    couple = couple_at("prepare", "hope").hear("talk", text="i hope we").hear("unsure", text="i don't know")
    assert couple.session.snapshot.position == Position("prepare", "hope")
    assert couple_at("repair", "tell").hear("unsure", text="i don't know").session.snapshot.position == Position("repair", "tell")


def test_of_what_is_said_around_a_name_only_the_name_is_kept() -> None:
    couple = couple_at("setup", "name_first").hear("talk", {"begin": 11, "end": 14}, text="my name is ben")
    couple.hear("yes").hear("talk", {"begin": 0, "end": 3}, text="ana please").hear("yes").listen()
    assert couple.session.snapshot.household.names == ("Ben", "Ana")


def test_a_pause_needs_no_setting_up() -> None:
    assert Couple(PLANS).begin().listen().hear("pause").state is State.ASKING


def test_a_silent_room_is_not_led_through_a_talk() -> None:
    couple = couple_at("repair", "got_it").wait(10 * figures.MINUTE)
    asked = {s.prompt for s in couple.effects if isinstance(s, Say) and s.prompt.startswith("repair.")}
    assert len(asked) <= 3  # this one, the next, and then a pause
    assert couple.state is State.PAUSED

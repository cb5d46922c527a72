"""A guided talk: where it is, what a step says and waits for, and the way on. Everything about words is content.

Laws. A turn is counted from the end of its prompt: nobody loses time to our talking. A turn's length is advisory: nobody is cut
off in mid-sentence. Dictated words are held beside the snapshot until they are confirmed; a restart that lost them resumes where
they were said. What the plan does not answer is asked again twice, in fewer words, then takes the step's safest way on.
"""

from __future__ import annotations

from dataclasses import replace

from voiceguide.core import figures, hints, ledger, pauses, plan
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Patience
from voiceguide.core.events import Heard
from voiceguide.core.fusion import Fusion
from voiceguide.core.machine import State, Trigger
from voiceguide.core.plan import Floor, Kind, Position, Step, locate, step_at, way_on
from voiceguide.core.snapshot import Snapshot

_TURN_CLOCKS = ("turn", "quiet", "wait", "no_input")
_AFTERWARDS = "afterwards"  # visits: the turn under way touched on something that its step asks about when it is over
_SILENT = "silent"  # visits: steps in a row that nobody answered
SETUP = "setup"  # the plan of the first use: limits, names, consent
AFTER_PAUSE = "after_pause"  # the plan that picks up where no talk was open, if the content has one


def open_talk(draft: Draft, name: str, step: str = "") -> None:
    """Begin a talk at its start (or at `step`). At the very first use, names and consent come before it."""
    draft.go(Trigger.OPEN)
    if _first_use(draft, name):
        draft.set(then=name)
        name, step = SETUP, ""
    draft.set(visits={}, trail=(), floor=(0.0, 0.0), theme="", about=0)
    draft.held.clear()
    enter(draft, Position(name, step))


def _first_use(draft: Draft, name: str) -> bool:
    """Whether `name` must wait for names and consent. Coming back from a pause never does: that was promised."""
    return SETUP in draft.plans and name not in (SETUP, AFTER_PAUSE) and not draft.s.household.consented


def here(draft: Draft) -> Step:
    """The step that is open. Only asked where a talk is open."""
    if draft.s.position is None:
        raise LookupError("no talk is open")
    return step_at(draft.plans, draft.s.position)


def enter(draft: Draft, position: Position, wording: str = "") -> None:
    """Go to a step: count the visit, write down what it writes down, say its prompt, listen for its answers."""
    step = step_at(draft.plans, position)
    position = Position(position.plan, step.name)
    draft.cancel(*_TURN_CLOCKS)
    draft.set(position=position, misses=0)
    visits = _count_visit(draft, _key(position))
    if step.limit and visits > step.limit and step.exhausted:
        _go(draft, step.exhausted)
    elif step.kind is Kind.SWAP:
        _swap(draft, _key(position))
        _go(draft, step.next)
    elif step.kind is Kind.EACH:
        _go(draft, step.next if ledger.take_next(draft) else step.exhausted)
    elif _passed_over(draft, step, position.plan):
        _go(draft, step.next)
    else:
        ledger.write(draft, step)
        _present(draft, step, wording)


def _key(position: Position) -> str:
    return f"{position.plan}:{position.step}"


def _count_visit(draft: Draft, key: str) -> int:
    visits = draft.s.visits.get(key, 0) + 1
    draft.set(visits={**draft.s.visits, key: visits})
    return visits


def _swap(draft: Draft, key: str) -> None:
    """Exchange the roles; the other gets as many chances as the first had, so what has a limit is counted anew."""
    speaker, listener = draft.s.roles
    plan_name = key.partition(":")[0]
    limited = {f"{plan_name}:{step.name}" for step in draft.plans[plan_name].steps.values() if step.limit} - {key}
    kept = {name: n for name, n in draft.s.visits.items() if name not in limited}
    draft.set(roles=(listener, speaker), visits=kept, trail=())  # nobody goes back into the other's turn


def _passed_over(draft: Draft, step: Step, plan_name: str) -> bool:
    """Whether the step is not for this couple now: the floor would become unequal, it belongs to a way not taken, or it reads
    back what was never dictated."""
    unequal = step.fair and _ahead(draft) >= figures.TURN
    elsewhere = bool(step.needs) and f"{plan_name}:{step.needs}" not in draft.s.visits
    dictated = step_at(draft.plans, locate(step.resume_at, plan_name)).dictates if step.resume_at else ""
    return unequal or elsewhere or bool(dictated and dictated not in draft.held)


def _ahead(draft: Draft) -> float:
    """By how many seconds the speaker has had the floor longer than the other, over the whole talk."""
    speaker, listener = draft.s.roles
    return draft.s.floor[speaker] - draft.s.floor[listener]


def _present(draft: Draft, step: Step, wording: str) -> None:
    expected = step.expect or ("talk" if step.kind is Kind.TALK else "resting")
    patience = Patience.TURN if step.kind is Kind.TALK else step.patience
    if step.prompt:
        prompt = f"{step.prompt}.{draft.s.theme}" if step.varies and draft.s.theme else step.prompt
        draft.ask(prompt, expected, patience, wording, **ledger.slots(draft))
        return
    draft.listen(expected, patience)
    _begin_clocks(draft, step)


def prompt_heard(draft: Draft) -> None:
    """The step's own prompt has ended: now its clocks start, or a `say` goes on."""
    _begin_clocks(draft, here(draft))


def _begin_clocks(draft: Draft, step: Step) -> None:
    match step.kind:
        case Kind.SAY:
            draft.start("wait", 0.0)
        case Kind.WAIT:
            draft.start("wait", draft.wait(step.seconds))
        case Kind.ASK:
            draft.start("no_input", draft.wait(figures.REPLY_WAIT))
        case Kind.TALK:
            draft.start("turn", draft.wait(step.seconds or figures.TURN))
            if draft.runs("quiet"):  # they began before the prompt had ended
                draft.start("quiet", draft.wait(figures.TURN_QUIET))
            else:
                draft.start("no_input", draft.wait(figures.TURN_EMPTY))
        case Kind.SWAP | Kind.EACH:
            pass


def follow(draft: Draft, way: str) -> None:
    """Take a way on from the open step, which can be gone back to if it waited for somebody."""
    position = draft.s.position
    if position is not None and here(draft).kind in (Kind.ASK, Kind.TALK):
        draft.set(trail=(*draft.s.trail, position)[-figures.STEPS_REMEMBERED :])
    _go(draft, way)


def _go(draft: Draft, way: str) -> None:
    """Go to a step, another plan, or one of the ways that are not steps."""
    position = draft.s.position
    if position is None:
        return
    match way:
        case plan.PAUSE:
            pauses.begin(draft)
        case plan.CLOSE:
            ending(draft)
        case plan.REST | "":
            finish(draft)
        case _:
            target = locate(way, position.plan)
            if position.plan == AFTER_PAUSE and _first_use(draft, target.plan):
                draft.set(then=target.plan)
                target = Position(SETUP, "")
            enter(draft, target)


def finish(draft: Draft) -> None:
    """The talk is over: the one that waited for it opens, or the guide stays near and quiet."""
    then = draft.s.then
    draft.cancel(*_TURN_CLOCKS)
    draft.held.clear()
    draft.set(then="")
    if then in draft.plans and draft.s.household.consented:
        open_talk(draft, then)
        return
    draft.go(Trigger.FINISH)
    draft.set(position=None, visits={}, trail=(), theme="", about=0)
    draft.listen("resting")


def ending(draft: Draft) -> None:
    """The one neutral ending for everything: the same words, whatever the reason (domain 5.2 rule 3).

    Nothing of the session stays, and a return call is cancelled; only follow-ups that the couple booked remain.
    """
    draft.hush()
    draft.go(Trigger.STOP)
    draft.held.clear()
    booked = tuple(c for c in draft.s.clocks if c.name.startswith(ledger.CHECKIN))
    old = draft.s
    chosen = Fusion().with_sensitivity(Fusion.from_plain(old.fusion).sensitivity)
    draft.s = Snapshot(
        state=old.state,
        number=old.number,
        household=old.household,
        clocks=booked,
        patient=old.patient,
        fusion=chosen.to_plain(),
        store=old.store,
    )
    draft.say("close.ending")
    draft.listen("closed")
    draft.close()


def heard(draft: Draft, event: Heard) -> bool:
    """An utterance in an open step. True when the step took it."""
    step = here(draft)
    if step.kind is Kind.TALK and event.intent == "unsure" and draft.runs("quiet"):
        event = replace(event, intent="talk")  # in the middle of telling it is a part of it
    bare = step.kind is Kind.TALK and _is_bare(draft, event)
    if step.kind is Kind.TALK and event.intent in ("talk", "none") and not bare:
        _count_floor(draft, step, event.seconds)
        _answered_again(draft)
    way = _answered(draft, step, event)
    if event.intent == "name" and way:
        who = int(event.slots.get("who", 0))
        draft.set(roles=(who, 1 - who))
    if event.intent == "return_time" and way:
        ledger.choose_hour(draft, float(event.slots.get("return_seconds", 0.0)))
    if event.intent == "talk" and way == step.on.get("talk", "") and step.hints and hints.give(draft, step, event):
        return True
    if event.intent == "talk" and step.dictates and not way:
        hints.hold(draft, step, event)
        way = step.next if draft.held.get(step.dictates) else _without(step)
    if bare and not way:
        if draft.runs("no_input"):
            draft.start("no_input", draft.wait(figures.TURN_QUIET))
        return True
    if step.kind is Kind.TALK:
        return _in_turn(draft, step, event, way)
    if not way:
        return False
    draft.hush()
    _answered_again(draft)
    follow(draft, way)
    return True


def _is_bare(draft: Draft, event: Heard) -> bool:
    """Whether nothing has been told yet, and this was nothing either ("yes please", "um"): it does not begin the turn's end, and
    if no more comes, the turn is offered again."""
    empty = event.intent == "unsure" or (event.intent == "none" and event.seconds < figures.BARE_LONGEST)
    return empty and not draft.runs("quiet")


def _answered_again(draft: Draft) -> None:
    """Somebody answers: a silence is not counted any longer."""
    if draft.s.visits.get(_SILENT):
        draft.set(visits={**draft.s.visits, _SILENT: 0})


def _without(step: Step) -> str:
    """On without the dictated words: they were too long to be kept."""
    return step.silence or step.on.get("not_yet", "") or plan.REST


def _answered(draft: Draft, step: Step, event: Heard) -> str:
    """The way that the step has for this. What was only noticed in free talk is passed over once its step has had its say."""
    past = "talk.past" if event.intent == "talk" and event.slots.get("past") and "quiet:talk.past" not in draft.s.visits else ""
    way = step.on.get(past, "") or way_on(step, event.intent, str(event.slots.get("judged", "")))
    if past in step.on and step.kind is Kind.TALK and step.floor is Floor.SPEAKER:
        draft.set(visits={**draft.s.visits, _AFTERWARDS: 1})  # nobody who tells is interrupted: it is asked when the turn is over
        way = ""
    if not way or way in plan.WAYS or draft.s.position is None:
        return way
    spent = event.intent == "talk" and _spent(draft, locate(way, draft.s.position.plan))
    return "" if spent else way


def _spent(draft: Draft, target: Position) -> bool:
    """Whether a step has been entered as often as it may be."""
    there = step_at(draft.plans, target)
    return bool(there.limit) and draft.s.visits.get(f"{target.plan}:{there.name}", 0) >= there.limit


def _in_turn(draft: Draft, step: Step, event: Heard, way: str) -> bool:
    if event.intent == "done" and not way:
        way = _turn_over(draft, step)
    if way:
        draft.hush()
        follow(draft, way)
        return True
    if event.intent not in ("talk", "none"):
        return False
    draft.cancel("no_input")
    if not draft.runs("turn") and not draft.s.unsaid:
        follow(draft, _turn_over(draft, step))  # the turn's time had passed while they were speaking
    else:  # while the prompt still sounds this is only a mark: the wait begins when it has been heard
        draft.start("quiet", figures.DAY if draft.s.unsaid else draft.wait(figures.TURN_QUIET))
    return True


def _count_floor(draft: Draft, step: Step, seconds: float) -> None:
    """Only telling counts: saying back is work for the other, not time of one's own."""
    if step.floor is not Floor.SPEAKER:
        return
    who = draft.s.roles[0]
    floor = list(draft.s.floor)
    floor[who] += seconds
    draft.set(floor=(floor[0], floor[1]))


def clock_due(draft: Draft, name: str) -> None:
    """A clock of the open step ran out."""
    step = here(draft)
    if name == "turn":
        draft.cancel("turn")
        draft.chime("beat")  # advisory: the sentence under way may end
    else:
        follow(draft, _turn_over(draft, step))


def _turn_over(draft: Draft, step: Step) -> str:
    """The way on from a turn (or a wait) that has ended: what it touched on, once, and else the next step."""
    visits = dict(draft.s.visits)
    touched = bool(visits.pop(_AFTERWARDS, 0))
    draft.set(visits=visits)
    way = step.on.get("talk.past", "") if touched else ""
    if way and draft.s.position is not None and not _spent(draft, locate(way, draft.s.position.plan)):
        return way
    return step.next


def missed(draft: Draft) -> None:
    """Twice asked again, and still nothing the step can use: its safest way on. A second time in a row: a pause with an end."""
    step, position = here(draft), draft.s.position
    if position is not None and not draft.s.trail:  # nobody has answered anything in this talk
        ledger.nobody_answered(draft, f"{position.plan}:{position.step}")
    if _count_visit(draft, _SILENT) > 1:
        _answered_again(draft)
        pauses.begin(draft)
        return
    follow(draft, step.silence or (step.next if step.kind in (Kind.TALK, Kind.SAY) else "") or plan.PAUSE)


def back(draft: Draft) -> None:
    """One step back, as often as there are steps to go back to; what the open step wrote down is taken back."""
    if not draft.s.trail:
        draft.ask_again("again")
        return
    ledger.undo(draft, here(draft))
    draft.set(position=draft.s.trail[-1], trail=draft.s.trail[:-1], misses=0)
    draft.cancel(*_TURN_CLOCKS)
    _present(draft, here(draft), "again")


def skip(draft: Draft) -> None:
    """Leave this step out. No reason is asked for."""
    step = here(draft)
    follow(draft, step.next or step.silence or plan.REST)


def resume(draft: Draft) -> None:
    """After a pause or a restart: the same step again, or where lost dictation has to be said anew."""
    step = here(draft)
    position = draft.s.position
    if position is None or draft.s.state is not State.LEADING:
        return
    if step.resume_at and not draft.held:
        enter(draft, locate(step.resume_at, position.plan), "resumed")
        return
    key = f"{position.plan}:{step.name}"
    visits = {**draft.s.visits, key: max(draft.s.visits.get(key, 1) - 1, 0)}  # the same visit, not another one
    draft.set(visits=visits)
    draft.cancel(*_TURN_CLOCKS)
    _count_visit(draft, key)
    _present(draft, step, "resumed")  # what it writes down is written already

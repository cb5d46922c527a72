"""A guided talk: where it is, what a step says and waits for, and the way on. Everything about words is content.

Laws. A turn is counted from the end of its prompt: nobody loses time to our talking. A turn's length is advisory: nobody is cut
off in mid-sentence. Dictated words are held beside the snapshot until they are confirmed; a restart that lost them resumes where
they were said. What the plan does not answer is asked again twice, in fewer words, then takes the step's safest way on.
"""

from __future__ import annotations

from dataclasses import replace

from voiceguide.core import figures, pauses, plan
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Dictated, Patience
from voiceguide.core.events import Heard
from voiceguide.core.machine import State, Trigger
from voiceguide.core.plan import Floor, Kind, Position, Step, locate, step_at, way_on
from voiceguide.core.snapshot import Snapshot

CHECKIN = "checkin:"  # clocks of booked follow-ups: "checkin:0", …
_TURN_CLOCKS = ("turn", "quiet", "wait", "no_input")


def open_talk(draft: Draft, name: str, step: str = "") -> None:
    """Begin a talk at its start (or at `step`)."""
    draft.go(Trigger.OPEN)
    draft.set(visits={}, trail=(), floor=(0.0, 0.0))
    enter(draft, Position(name, step))


def here(draft: Draft) -> Step:
    """The step that is open. Only asked where a talk is open."""
    if draft.s.position is None:
        raise LookupError("no talk is open")
    return step_at(draft.plans, draft.s.position)


def enter(draft: Draft, position: Position, wording: str = "") -> None:
    """Go to a step: count the visit, say its prompt, listen for its answers."""
    step = step_at(draft.plans, position)
    position = Position(position.plan, step.name)
    draft.cancel(*_TURN_CLOCKS)
    visits = dict(draft.s.visits)
    key = f"{position.plan}:{step.name}"
    visits[key] = visits.get(key, 0) + 1
    draft.set(position=position, visits=visits, misses=0)
    if step.limit and visits[key] > step.limit and step.exhausted:
        follow(draft, step.exhausted)
        return
    if step.kind is Kind.SWAP:
        speaker, listener = draft.s.roles
        draft.set(roles=(listener, speaker))
        follow(draft, step.next)
        return
    _keep(draft, step)
    _present(draft, step, wording)


def _present(draft: Draft, step: Step, wording: str) -> None:
    slots = {name: Dictated(text) for name, text in draft.held.items()}
    expected = step.expect or ("talk" if step.kind is Kind.TALK else "resting")
    patience = Patience.TURN if step.kind is Kind.TALK else step.patience
    if step.prompt:
        draft.ask(step.prompt, expected, patience, wording, **slots)
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
            draft.start("quiet", draft.wait(figures.TURN_EMPTY))
        case Kind.SWAP:
            pass


def follow(draft: Draft, way: str) -> None:
    """Take a way on: a step, another plan, or one of the ways that are not steps."""
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
            trail = (*draft.s.trail, position)[-figures.STEPS_REMEMBERED :]
            draft.set(trail=trail)
            enter(draft, target)


def finish(draft: Draft) -> None:
    """The talk is over; the guide stays near and quiet."""
    draft.go(Trigger.FINISH)
    draft.cancel(*_TURN_CLOCKS)
    draft.set(position=None, visits={}, trail=())
    draft.held.clear()
    draft.listen("resting")


def ending(draft: Draft) -> None:
    """The one neutral ending for everything: the same words, whatever the reason (domain 5.2 rule 3).

    Nothing of the session stays, and a return call is cancelled; only follow-ups that the couple booked remain.
    """
    draft.hush()
    draft.go(Trigger.STOP)
    draft.held.clear()
    booked = tuple(c for c in draft.s.clocks if c.name.startswith(CHECKIN))
    old = draft.s
    draft.s = Snapshot(state=old.state, number=old.number, household=old.household, clocks=booked, patient=old.patient)
    draft.say("close.ending")
    draft.listen("closed")
    draft.close()


def heard(draft: Draft, event: Heard) -> bool:
    """An utterance in an open step. True when the step took it."""
    step = here(draft)
    judged = str(event.slots.get("judged", ""))
    if step.kind is Kind.TALK and event.intent in ("talk", "none"):
        _count_floor(draft, step, event.seconds)
    way = way_on(step, event.intent, judged) or _past(step, event)
    if event.intent == "name" and way:
        who = int(event.slots.get("who", 0))
        draft.set(roles=(who, 1 - who))
    if event.intent == "talk" and step.dictates:
        draft.held[step.dictates] = event.text
        way = way or step.next
    if step.kind is Kind.TALK:
        return _in_turn(draft, step, event, way)
    if step.kind is Kind.ASK and event.intent == "talk" and step.dictates and not way:
        way = step.next
    if not way:
        return False
    draft.hush()
    follow(draft, way)
    return True


def _past(step: Step, event: Heard) -> str:
    return step.on.get("talk.past", "") if event.slots.get("past") else ""


def _in_turn(draft: Draft, step: Step, event: Heard, way: str) -> bool:
    if way and event.intent != "talk":
        draft.hush()
        follow(draft, way)
        return True
    if event.intent == "done":
        draft.hush()
        follow(draft, step.next)
        return True
    if event.intent not in ("talk", "none"):
        return False
    if way:  # a judgement that the step answers: at once, while it is fresh
        draft.hush()
        follow(draft, way)
    elif not draft.runs("turn") and not draft.s.unsaid:
        follow(draft, step.next)  # the turn's time had passed while they were speaking
    else:
        draft.start("quiet", draft.wait(figures.TURN_QUIET))
    return True


def _count_floor(draft: Draft, step: Step, seconds: float) -> None:
    if step.floor is Floor.BOTH:
        return
    who = draft.s.roles[0 if step.floor is Floor.SPEAKER else 1]
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
        follow(draft, step.next)


def missed(draft: Draft) -> None:
    """Twice asked again, and still nothing the step can use: its safest way on."""
    step = here(draft)
    follow(draft, step.silence or (step.next if step.kind is Kind.TALK else "") or plan.PAUSE)


def back(draft: Draft) -> None:
    """One step back, as often as there are steps to go back to."""
    if not draft.s.trail:
        draft.ask_again("again")
        return
    target = draft.s.trail[-1]
    draft.set(trail=draft.s.trail[:-1])
    enter(draft, target, "again")


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
    visits = dict(draft.s.visits)
    key = f"{position.plan}:{step.name}"
    visits[key] = max(visits.get(key, 1) - 1, 0)  # the same visit, not another one
    draft.set(visits=visits)
    enter(draft, position, "resumed")


def _keep(draft: Draft, step: Step) -> None:
    """Confirmed words go to the ledger; names and phrase also to the household."""
    if not step.keeps:
        return
    text = draft.held.get(step.keeps, "")
    household = draft.s.household
    if step.keeps in ("name_first", "name_second"):
        names = (text, household.names[1] if len(household.names) > 1 else "")
        household = replace(household, names=names if step.keeps == "name_first" else (household.names[0], text))
    elif step.keeps == "phrase":
        household = replace(household, phrase=text)
    draft.set(household=household)
    if text:
        draft.remember(step.keeps, text=Dictated(text))

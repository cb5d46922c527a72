"""What works in every state, and that no content can remove: pause, stop, repeat, help, the pace, and safety.

Laws. Safety comes first and names nothing. `stop` closes at once. At rest only explicit wishes count: two people who talk about
dinner are never answered. Every function has a spoken form here; none needs a key or a screen. (mission V4, R18)
"""

from __future__ import annotations

from dataclasses import replace

from voiceguide.core import figures, ledger, offers, pauses, talk
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Adjust, Span
from voiceguide.core.events import Heard
from voiceguide.core.fusion import Fusion
from voiceguide.core.machine import OVERLAYS, State, Trigger

SAFETY = "safety."
_QUIET = (State.RESTING, State.CLOSED, State.PAUSED, State.WAITING)
_ADJUSTMENTS = {
    "slower": ("rate", -1),
    "faster": ("rate", +1),
    "louder": ("volume", +1),
    "softer": ("volume", -1),
    "less_sensitive": ("sensitivity", -1),
    "more_sensitive": ("sensitivity", +1),
}


def safety(draft: Draft, event: Heard) -> bool:
    """After a safety cue nothing is coached, named or kept, and nobody is called back. (domain 5.2)"""
    kinds = {cue.kind.removeprefix(SAFETY) for cue in event.cues if cue.kind.startswith(SAFETY)}
    if not kinds:
        return False
    draft.hush()
    if draft.s.state is not State.CLOSED:
        talk.ending(draft)
    draft.set(clocks=(), household=replace(draft.s.household, checkins=()))
    if "self_harm" in kinds:
        draft.say("safety.self_harm")
        draft.say("safety.self_harm", "again")
    elif "danger" in kinds:
        draft.say("safety.danger")
    return True


def rail(draft: Draft, event: Heard) -> bool:
    """A rail was said. True when it was one that counts here."""
    intent, state = event.intent, draft.s.state
    match intent:
        case "pause":
            pauses.call(draft, event)
        case "stop" if state is not State.CLOSED:
            talk.ending(draft)
        case "wake":
            wake(draft)
        case "mute" if state is not State.CLOSED:
            draft.hush()
            draft.cancel_floor_clocks()
            draft.go(Trigger.MUTE)
            draft.say("mute.on")
        case "help_line":
            draft.hush()
            draft.say("help.lines")
            draft.say("help.lines", "again")
        case "beat" | "more" if state is State.BEAT or (intent == "beat" and state is not State.CLOSED):
            _beat(draft)
        case "go_on" if state in OVERLAYS:
            draft.hush()
            draft.cancel("beat", "hold")
            draft.go(Trigger.RESUME)
            offers.resume_place(draft)
        case "help" | "where" | "promises" if state is not State.CLOSED:
            _tell(draft, intent)
        case "remaining" if draft.pause.due or state is State.LEADING:
            _remaining(draft)
        case _:
            return (intent in _ADJUSTMENTS and _adjust(draft, intent)) or _in_talk(draft, event)
    return True


def _in_talk(draft: Draft, event: Heard) -> bool:
    """Rails that would be ordinary words at rest: they count only where the guide and the couple are talking."""
    if draft.place in _QUIET and event.intent != "repeat":
        return False
    match event.intent:
        case "repeat" if draft.s.state is not State.CLOSED:
            _repeat(draft)
        case "hold":
            draft.hush()
            draft.cancel_floor_clocks()
            if draft.s.state is not State.HELD:
                draft.go(Trigger.HOLD)
            draft.chime("beat")
            draft.start("hold", figures.HOLD_CHECK)
        case "patient":
            draft.set(patient=True)
            _answer(draft, "adjust.patient")
        case "back" if draft.s.state is State.LEADING:
            draft.hush()
            talk.back(draft)
        case "skip" if draft.s.state is State.LEADING:
            draft.hush()
            talk.skip(draft)
        case _:
            return False
    return True


def _answer(draft: Draft, prompt: str, wording: str = "") -> None:
    """A short answer of our own, then the open question again in few words."""
    draft.hush()
    draft.say(prompt, wording)
    if draft.s.state not in OVERLAYS and draft.s.asked is not None:
        draft.ask_again("short")


def _tell(draft: Draft, intent: str) -> None:
    if intent == "promises":
        draft.hush()
        ledger.tell(draft)
        if draft.s.state not in OVERLAYS:
            draft.ask_again("short")
        return
    position = draft.s.position
    in_talk = draft.place is State.LEADING and position is not None
    about = position.plan if in_talk and position is not None and intent == "where" else draft.place.value
    _answer(draft, f"{intent}.{about}")


def _repeat(draft: Draft) -> None:
    draft.hush()
    if draft.s.asked is not None and draft.s.state not in OVERLAYS:
        draft.ask_again("again")
    elif draft.s.said is not None:
        draft.say(draft.s.said.prompt, "again", **draft.s.said.slots)


def _remaining(draft: Draft) -> None:
    if draft.pause.due:
        draft.hush()
        pauses.remaining(draft)
        return
    turn = next((c for c in draft.s.clocks if c.name == "turn"), None)
    draft.hush()
    if turn is not None:
        draft.say("turn.remaining", span=Span(max(turn.due - draft.now, 0.0)))
    else:
        draft.say("turn.no_limit")


def _adjust(draft: Draft, intent: str) -> bool:
    if draft.s.state is State.CLOSED or (draft.place in _QUIET and not intent.endswith("sensitive") and not draft.s.unsaid):
        return False
    what, by = _ADJUSTMENTS[intent]
    draft.effects.append(Adjust(what, by))
    if what == "sensitivity":
        draft.set(fusion=Fusion.from_plain(draft.s.fusion).adjusted(by).to_plain())
    _answer(draft, f"adjust.{intent}")
    return True


def _beat(draft: Draft) -> None:
    """Five quiet seconds; "more" adds five, up to fifteen. (domain 2.1)"""
    running = next((c.due - draft.now for c in draft.s.clocks if c.name == "beat"), 0.0)
    draft.hush()
    if draft.s.state is State.BEAT:
        draft.start("beat", min(running + figures.BEAT_MORE, figures.BEAT_LONGEST))
        return
    draft.cancel_floor_clocks()
    draft.go(Trigger.BEAT)
    draft.chime("beat")
    draft.say("beat.begin")
    draft.start("beat", figures.BEAT)


def overlay_due(draft: Draft, clock: str) -> None:
    """A beat is over; or "wait" has lasted long: first a soft sign, then a pause with an end, never an open silence."""
    state = draft.s.state
    if clock == "hold" and state is State.HELD and draft.s.misses == 0:
        draft.set(misses=1)
        draft.say("hold.still_here")
        draft.start("hold", figures.HOLD_LONGEST)
        return
    if state not in (State.BEAT, State.HELD):
        return
    draft.set(misses=0)
    draft.go(Trigger.RESUME)
    if clock == "hold" and draft.s.state is State.LEADING:
        pauses.begin(draft)
    else:
        offers.resume_place(draft)


def wake(draft: Draft) -> None:
    """The opening phrase: ends mute, opens a session, or says where we are."""
    draft.hush()
    if draft.s.state is State.MUTED:
        draft.go(Trigger.RESUME)
        draft.say("mute.off")
        offers.resume_place(draft)
    elif draft.s.state in (State.RESTING, State.CLOSED) and SORT in draft.plans:
        talk.open_talk(draft, SORT)
    elif draft.s.state in OVERLAYS:
        draft.go(Trigger.RESUME)
        offers.resume_place(draft)
    else:
        _answer(draft, "open.here")


SORT = "sort"  # the plan of at most three questions that finds the talk that helps most


def at_rest(draft: Draft, event: Heard) -> bool:
    """Nobody needs us: only an explicit wish opens a talk; everything else stays between the two."""
    if event.intent == "not_now":  # a late answer to the offer is respected as well
        offers.respect(draft)
        return True
    for plan in draft.plans.values():
        if event.intent in plan.opened_by:
            draft.hush()
            talk.open_talk(draft, plan.name)
            return True
    return draft.s.state is State.CLOSED


def checkin_due(draft: Draft, clock: str) -> None:
    """A booked follow-up opens by itself when nothing else is under way; otherwise it waits its turn. (mission R13)"""
    if not clock.startswith(ledger.CHECKIN):
        return
    if draft.s.state not in (State.RESTING, State.CLOSED):
        draft.start(clock, figures.HOUR, durable=True)
        return
    if checkin := ledger.take_due(draft):
        plan, _, step = checkin.plan.partition(":")
        draft.chime("return")
        talk.open_talk(draft, plan, step)
        draft.set(visits={**draft.s.visits, ledger.CALLED: 2 if checkin.again else 1})

"""The return: call both at the agreed minute, a number from each, then "now" or a new named time.

Laws. A call comes at the agreed time, twice more, then never again: the last line blames nobody. Long after the time nobody is
called; the first voice is greeted. No topic before both have given a number or declined to. (domain 1.4, 8)
"""

from __future__ import annotations

from voiceguide.core import figures, pauses, talk
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Moment
from voiceguide.core.events import Heard
from voiceguide.core.machine import OVERLAYS, State, Trigger
from voiceguide.core.snapshot import Pause


def reminder_due(draft: Draft) -> None:
    """Two minutes before the return: one soft line."""
    if draft.s.state in OVERLAYS or draft.now >= draft.pause.due:
        return  # after a long sleep the call itself comes first, or nothing at all
    draft.chime("return")
    draft.say("pause.soon", due=Moment(draft.pause.due))


def return_due(draft: Draft) -> None:
    """The agreed minute has come: call both, or stay silent when it is long past."""
    if draft.s.state in OVERLAYS:
        draft.go(Trigger.RESUME)
    draft.hush()
    draft.cancel_floor_clocks()
    draft.cancel("return", "reminder", "call")
    if draft.now - draft.pause.due > figures.LATE_AFTER:
        draft.go(Trigger.TOO_LATE)
        draft.listen("here")
        return
    draft.go(Trigger.RETURN_DUE)
    draft.set_pause(breath=0)
    _call_both(draft)


def call_due(draft: Draft) -> None:
    """Nobody answered the last call."""
    if draft.s.state is State.CALLING:
        _call_both(draft)


def _call_both(draft: Draft) -> None:
    calls = draft.pause.calls
    draft.set_pause(calls=calls + 1)
    if calls >= 1 + len(figures.CALLS_AFTER):
        return
    draft.chime("return")
    last = calls == len(figures.CALLS_AFTER)
    if last:
        draft.go(Trigger.TOO_LATE)
        draft.say("return.last_call")
        draft.listen("here")
        return
    behind_time = draft.now - draft.pause.due > figures.MINUTE  # then "it is twenty past" would be wrong
    wording = "again" if calls else "resumed" if behind_time else ""
    draft.ask("return.call", "here", wording=wording, due=Moment(draft.pause.due))
    before = figures.CALLS_AFTER[calls - 1] if calls else 0.0
    draft.start("call", figures.CALLS_AFTER[calls] - before, durable=True)


def calling(draft: Draft, heard: Heard) -> bool:
    """Somebody answers the call. Any voice is an answer; "not ready" leads to a new named time."""
    match heard.intent:
        case "more_time" | "not_yet" | "no" | "later" | "return_time" | "not_now" | "open_time":
            pauses.extend(draft, heard)
        case "none" if draft.s.misses < figures.REPROMPTS and draft.s.state is State.CALLING:
            return False
        case _ if draft.s.state is State.WAITING:
            greet_late(draft)
        case _:
            come_back(draft)
    return True


def come_back(draft: Draft) -> None:
    """Both are called; somebody is here. One warm sentence, then a number from each: no topic yet. (domain 1.4 [derived])"""
    draft.hush()
    draft.cancel_floor_clocks()
    draft.cancel("call")
    draft.go(Trigger.COME_BACK)
    draft.set(misses=0)
    draft.set_pause(rated=())
    draft.say("return.welcome")
    draft.ask("return.rate_first", "number")


def greet_late(draft: Draft) -> None:
    """Long after the agreed time somebody speaks, perhaps about something else: one question, and silence is an answer."""
    draft.hush()
    draft.go(Trigger.SKIP_RATING)
    draft.set(misses=0)
    draft.set_pause(late=True)
    draft.ask("return.late", "ready")


def rating(draft: Draft, heard: Heard) -> bool:
    """A number from each. Anything else than a number is a complete answer too, after it was asked again."""
    match heard.intent:
        case "number":
            rate(draft, int(heard.slots.get("value", 0)))
        case "more_time" | "not_yet" | "later" | "return_time" | "not_now":
            pauses.extend(draft, heard)
        case "skip" | "no":
            rate(draft, -1)
        case _:
            return False
    return True


def rate(draft: Draft, number: int) -> None:
    """Take one number (-1: none given) and go on to the other, or to the choice."""
    rated = (*draft.pause.rated, number)
    draft.hush()
    draft.set(misses=0)
    draft.set_pause(rated=rated)
    if len(rated) < 2:
        draft.ask("return.rate_second", "number")
        return
    draft.go(Trigger.RATED)
    draft.ask("return.choose_high" if max(rated) >= figures.STIRRED_UP else "return.choose", "ready")


def choosing(draft: Draft, heard: Heard) -> bool:
    """Now, or a time within a day."""
    match heard.intent:
        case "return_time" | "more_time" | "later" | "not_yet" | "no" | "not_now" | "open_time" | "second":
            pauses.extend(draft, heard)
        case "now" | "ready" | "yes" | "here" | "go_on" | "first":
            go_on(draft)
        case _:
            return False
    return True


def go_on(draft: Draft) -> None:
    """Both chose now: the talk that was open goes on, or the one that follows a pause, or the couple goes on alone."""
    draft.hush()
    draft.cancel_floor_clocks()
    draft.set(misses=0, pause=None)
    draft.remember("return_kept")
    if draft.s.position is None and talk.AFTER_PAUSE in draft.plans:
        talk.open_talk(draft, talk.AFTER_PAUSE)
        return
    draft.go(Trigger.GO_ON)
    if draft.s.position is not None:
        talk.resume(draft)
    else:
        draft.say("return.go_on")
        draft.listen("resting")


def no_number_or_choice(draft: Draft) -> None:
    """Twice asked in the return and nothing usable came: never stuck, never pushed."""
    if draft.s.state is State.RATING:
        rate(draft, -1)
    elif draft.s.state is State.CHOOSING and draft.pause.late:
        draft.go(Trigger.TOO_LATE)
        draft.listen("here")
    elif draft.s.state is State.CHOOSING:
        draft.set(pause=Pause(draft.now, rung=draft.pause.rung + 1))
        pauses.propose_default(draft, "pause.default")

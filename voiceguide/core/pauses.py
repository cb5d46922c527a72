"""The couple's pause: call it, name a return, say it back, keep it. (`returning.py` calls both back.)

Laws. The pause clock is set in the same commit as the agreement and is absolute. A pause is never shorter than agreed: somebody
who comes back early is told the time. Silence never leaves a pause open: it becomes the default time, said aloud. Whoever calls
it, and why, is nobody's business here: nothing of that is kept. (domain 1.4, 1.5, 1.7, 8)
"""

from __future__ import annotations

import math

from voiceguide.core import figures
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Moment, Span
from voiceguide.core.events import Heard
from voiceguide.core.machine import OVERLAYS, State, Trigger
from voiceguide.core.snapshot import Pause

# -- calling it ----------------------------------------------------------------------------------------------------------


def call(draft: Draft, heard: Heard) -> None:
    """Somebody needs a pause. Where one is being agreed, kept or ended, that goes on instead of beginning anew."""
    place = draft.place
    if draft.s.state in OVERLAYS and place in (State.PAUSED, State.ASKING, State.CONFIRMING):
        draft.go(Trigger.RESUME)
    if place is State.PAUSED:
        _in_pause(draft, heard)
        return
    if place in (State.ASKING, State.CONFIRMING):
        draft.hush()
        name_time(draft, heard) if "return_seconds" in heard.slots else draft.ask_again("again")
        return
    if place in (State.CALLING, State.WAITING, State.RATING, State.CHOOSING):
        extend(draft, heard)
        return
    draft.hush()
    draft.cancel_floor_clocks()
    draft.go(Trigger.PAUSE)
    draft.chime("pause")
    draft.set(misses=0, pause=Pause(draft.now))
    draft.say("pause.begin")
    if "return_seconds" in heard.slots:
        name_time(draft, heard)
    else:
        ask_time(draft)


def begin(draft: Draft) -> None:
    """Agree on a pause without anybody having asked: the safest way on when nothing else worked."""
    call(draft, Heard("pause"))


def ask_time(draft: Draft) -> None:
    """Ask when to come back; an extension names the next rung of the ladder as an example."""
    span = ladder(draft.pause.rung) if draft.pause.rung else figures.PAUSE_DEFAULT
    draft.ask("pause.ask_more" if draft.pause.rung else "pause.ask", "return_time", span=Span(span))


def ladder(rung: int) -> float:
    """The example length of extension number `rung` (1 = the first), in seconds."""
    return figures.EXTENSION_LADDER[min(rung, len(figures.EXTENSION_LADDER)) - 1]


# -- naming and confirming a time ----------------------------------------------------------------------------------------


def asking(draft: Draft, heard: Heard) -> bool:
    """An answer to "when?". True when it was one."""
    draft.hush()
    match heard.intent:
        case "return_time" | "pause" | "more_time" if "return_seconds" in heard.slots:
            name_time(draft, heard)
        case "open_time" | "yes" | "not_yet" | "no" | "later" | "more_time":
            propose_default(draft, "pause.propose")
        case "objection":
            _answer_objection(draft)
        case _:
            return False
    return True


def name_time(draft: Draft, heard: Heard) -> None:
    """A definite time was named: say it back, mended to the shortest or longest where it must be."""
    seconds = float(heard.slots["return_seconds"])
    shortest = figures.EXTENSION_SHORTEST if draft.pause.rung else figures.PAUSE_SHORTEST
    if seconds > figures.PAUSE_LONGEST:
        if draft.s.state is State.CONFIRMING:
            draft.go(Trigger.REFUSE_TIME)
        elif draft.s.state is not State.ASKING:
            draft.go(Trigger.PAUSE)
        draft.ask("pause.too_long", "return_time", limit=Moment(_minute(draft.now + figures.PAUSE_LONGEST)))
        return
    prompt = "pause.too_short" if seconds < shortest - 1 else "pause.confirm"
    propose(draft, max(seconds, shortest), prompt)


def propose(draft: Draft, seconds: float, prompt: str) -> None:
    """Say a time back and wait for a yes."""
    due = _minute(draft.now + seconds)
    draft.go(Trigger.NAME_TIME)
    draft.set(misses=0)
    draft.set_pause(proposed=due)
    draft.ask(prompt, "confirm_time", due=Moment(due), shortest=Span(figures.PAUSE_SHORTEST))


def propose_default(draft: Draft, prompt: str) -> None:
    """Name the default time ourselves, and wait for a yes (or for silence, which lets it stand)."""
    rung = draft.pause.rung
    propose(draft, ladder(rung) if rung else figures.PAUSE_DEFAULT, prompt)


def _minute(at: float) -> float:
    """Up to the next whole minute, so that what is said is what is kept (what is within ROUNDING is not another minute)."""
    return math.ceil((at - figures.ROUNDING) / figures.MINUTE) * figures.MINUTE


def confirming(draft: Draft, heard: Heard) -> bool:
    """An answer to "is that right?". True when it was one."""
    draft.hush()
    match heard.intent:
        case "return_time" | "pause" | "more_time" if "return_seconds" in heard.slots:
            name_time(draft, heard)
        case "yes" | "ready" | "now" | "done":
            agree(draft)
        case "no" | "not_yet" | "later" | "open_time" | "more_time":
            draft.go(Trigger.REFUSE_TIME)
            ask_time(draft)
        case "objection":
            _answer_objection(draft)
        case _:
            return False
    return True


def agree(draft: Draft) -> None:
    """The agreement: clock, reminder and state in this one commit; then what to do, in few words."""
    due = draft.pause.proposed
    first = draft.pause.due == 0 and draft.pause.rung == 0
    draft.go(Trigger.AGREE)
    draft.cancel_floor_clocks()
    draft.set_pause(due=due, proposed=0.0, calls=0, rated=())
    _set_return_clocks(draft, due)
    draft.set(misses=0)
    draft.say("pause.agreed", due=Moment(due))
    if first:
        draft.remember("pause", due=Moment(due))  # that there was one, and until when; never who called it
        draft.say("pause.apart")
        draft.say("pause.breathe_offer")
    draft.listen("paused")
    draft.chime("listening")


def _set_return_clocks(draft: Draft, due: float) -> None:
    draft.cancel("return", "reminder", "call")
    draft.start_at("return", due, durable=True)
    if due - figures.REMINDER_BEFORE > draft.now:
        draft.start_at("reminder", due - figures.REMINDER_BEFORE, durable=True)


def no_answer(draft: Draft) -> None:
    """Twice asked and nothing usable came: the default time is said, and then counts."""
    if draft.s.state is State.CONFIRMING:
        agree(draft)
    elif draft.pause.due > draft.now:
        _keep_old(draft)
    else:
        propose_default(draft, "pause.default")


def extend(draft: Draft, heard: Heard) -> None:
    """Not ready at the return: a new named time, never an open end."""
    draft.hush()
    draft.cancel_floor_clocks()
    draft.cancel("call")
    draft.go(Trigger.PAUSE)
    draft.set(misses=0, pause=Pause(draft.now, rung=draft.pause.rung + 1))
    draft.say("pause.begin_more")
    if "return_seconds" in heard.slots:
        name_time(draft, heard)
    else:
        ask_time(draft)


def _keep_old(draft: Draft) -> None:
    """A longer time was wanted but never named: the old agreement stands."""
    draft.set_pause(proposed=draft.pause.due)
    draft.go(Trigger.NAME_TIME)
    agree(draft)


def _answer_objection(draft: Draft) -> None:
    """Answer the fear of being left, not the objection; twice at most, then only the time goes on being agreed."""
    pause = draft.pause
    draft.hush()
    if pause.objections < figures.OBJECTIONS_ANSWERED:
        draft.set_pause(objections=pause.objections + 1)
        due = pause.due or pause.proposed
        draft.say("pause.not_over", due=Moment(due)) if due else draft.say("pause.not_over_yet")
    if draft.s.asked is not None:
        draft.ask_again("short")


# -- in the pause --------------------------------------------------------------------------------------------------------


def paused(draft: Draft, heard: Heard) -> bool:
    """Something said while the pause runs. Ordinary talk is not ours: it stays unanswered."""
    match heard.intent:
        case "return_time" | "more_time":
            _in_pause(draft, heard)
        case "here" | "ready" | "now" | "go_on":
            draft.hush()
            told = draft.s.said is not None and draft.s.said.prompt == "pause.early"
            draft.say("pause.early", "again" if told else "", due=Moment(draft.pause.due))
        case "objection":
            _answer_objection(draft)
        case "breathe":
            _breathe(draft)
    return True


def _in_pause(draft: Draft, heard: Heard) -> None:
    """More of a pause that runs already: only ever longer, never shorter."""
    seconds = float(heard.slots.get("return_seconds", 0.0))
    draft.hush()
    if heard.intent == "more_time" and not seconds:
        draft.set_pause(rung=draft.pause.rung + 1)
        draft.go(Trigger.PAUSE)
        ask_time(draft)
    elif seconds and draft.now + seconds > draft.pause.due + 1:
        name_time(draft, heard)
    else:
        draft.say("pause.until", due=Moment(draft.pause.due))


def _breathe(draft: Draft) -> None:
    draft.hush()
    draft.set_pause(breath=figures.BREATHS)
    draft.say("breathe.begin")
    draft.start("breathe", draft.wait(figures.REPLY_WAIT))


def breath_due(draft: Draft) -> None:
    """The next half of a breath: in for four seconds, out for six, until the track or the pause is over."""
    left = draft.pause.breath
    if draft.s.state is not State.PAUSED or left <= 0:
        draft.set_pause(breath=0)
        return
    inward = not draft.runs("breathe_out")
    draft.set_pause(breath=left if inward else left - 1)
    draft.cancel("breathe_out")
    if not inward and left == 1:
        draft.say("breathe.end", due=Moment(draft.pause.due))
        return
    if inward:
        draft.start("breathe_out", figures.DAY)  # a mark, not a wait: the next half is the way out
    draft.say("breathe.in" if inward else "breathe.out")
    draft.start("breathe", figures.BREATH_IN if inward else figures.BREATH_OUT)


def remaining(draft: Draft) -> None:
    """How long is left, as a length and as a time of day."""
    due = draft.pause.due
    draft.say("pause.remaining", due=Moment(due), span=Span(max(due - draft.now, 0.0)))

"""`session.handle(event, now) -> effects`: the only door to the core.

Order of hearing: safety, then rails, then what the place expects, then cues. `handle` never raises for anything the world may
send. Position is data: `snapshot()` after any event, given to a new session, answers every further event identically, except that
words dictated but not yet confirmed are asked for again.
"""

from __future__ import annotations

from typing_extensions import assert_never

from voiceguide.core import figures, offers, pauses, rails, returning, talk
from voiceguide.core.calendar import Calendar, UtcCalendar
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Effect, Say
from voiceguide.core.events import Began, Due, Event, Failed, Heard, Recovered, SpeechBegan, Spoken
from voiceguide.core.machine import OVERLAYS, State, Trigger
from voiceguide.core.plan import Plans
from voiceguide.core.snapshot import Snapshot

_UTC = UtcCalendar()
_NOTHING = ("none", "unsure")  # taken in a turn without being told anything: it is still asked only twice again
_ANSWERS = {
    State.ASKING: pauses.asking,
    State.CONFIRMING: pauses.confirming,
    State.PAUSED: pauses.paused,
    State.CALLING: returning.calling,
    State.WAITING: returning.calling,
    State.RATING: returning.rating,
    State.CHOOSING: returning.choosing,
    State.OFFERING: offers.answered,
    State.LEADING: talk.heard,
    State.RESTING: rails.at_rest,
    State.CLOSED: rails.at_rest,
}


class Session:
    """One couple's session. `plans`: the talks that content offers. A `snapshot` continues where it was taken.

    `calendar`: the household's local time, for check-ins at a decent hour.
    """

    def __init__(self, plans: Plans, snapshot: Snapshot | None = None, calendar: Calendar = _UTC) -> None:
        self._plans = plans
        self._calendar = calendar
        self._snapshot = snapshot or Snapshot()
        self._held: dict[str, str] = {}

    @property
    def snapshot(self) -> Snapshot:
        """Where the session is, ready to be saved."""
        return self._snapshot

    def next_due(self) -> float | None:
        """When the earliest clock runs out (wall time, seconds), or None."""
        return min((clock.due for clock in self._snapshot.clocks), default=None)

    def due(self, now: float) -> list[Due]:
        """The clocks that have run out by `now`, earliest first."""
        late = sorted((c for c in self._snapshot.clocks if c.due <= now), key=lambda c: (c.due, c.name))
        return [Due(clock.name) for clock in late]

    def handle(self, event: Event, now: float) -> tuple[Effect, ...]:
        """What follows from `event` at wall time `now` (seconds). Performs nothing; changes only the snapshot."""
        draft = Draft(self._snapshot, now, self._plans, self._held, self._calendar)
        _dispatch(draft, event)
        self._snapshot = draft.s
        self._held = draft.held
        return tuple(draft.effects)


def _dispatch(draft: Draft, event: Event) -> None:
    match event:
        case Began():
            _began(draft, event)
        case Heard():
            _heard(draft, event)
        case SpeechBegan():
            if draft.runs("no_input"):
                draft.start("no_input", figures.SPEECH_GRACE)
            if draft.runs("quiet"):
                draft.start("quiet", figures.SPEECH_GRACE)
        case Spoken():
            _spoken(draft, event)
        case Due():
            _due(draft, event.clock)
        case Failed():
            _part_failed(draft, event.part)
        case Recovered():
            _part_back(draft, event.part)
        case _:
            assert_never(event)


def _part_failed(draft: Draft, part: str) -> None:
    if part == "store":
        draft.set(store="told" if draft.s.store == "back" else "lost")
    elif part in ("ear", "microphone") and draft.s.state not in (State.CLOSED, State.MUTED):
        draft.chime("trouble")


def _part_back(draft: Draft, part: str) -> None:
    if part == "store":
        draft.set(store="back" if draft.s.store == "told" else "")
    elif part == "microphone" and draft.s.state not in (State.CLOSED, State.MUTED):
        draft.say("trouble.hearing_again")


# -- beginning -----------------------------------------------------------------------------------------------------------


def _began(draft: Draft, event: Began) -> None:
    """A fresh start greets; a restart says what was cut off, calls back what became due, and otherwise keeps quiet."""
    draft.cancel_floor_clocks()
    draft.set(store="")  # another process may have more room
    if draft.s.state in (State.BEAT, State.HELD):  # their clocks died with the process
        draft.go(Trigger.RESUME)
    state = draft.s.state
    if draft.s.number == 0:
        draft.say("open.welcome")
        draft.listen("resting")
    elif draft.place is State.PAUSED and not event.clock_trusted:
        _lost_time(draft)
    elif draft.place in (State.PAUSED, State.CALLING, State.WAITING):
        _resume_pause(draft)
    elif state is State.CLOSED:
        _say_unsaid(draft)
        draft.listen("closed")
    elif draft.place is State.LEADING:
        if state is State.OFFERING:
            draft.go(Trigger.RESUME)
        if draft.s.state is State.LEADING:
            draft.set(unsaid=())
            talk.resume(draft)
    elif draft.s.asked is not None:
        _say_unsaid(draft, but=draft.s.asked.number)
        draft.ask_again("resumed")
    else:
        _say_unsaid(draft)
        draft.listen("resting")


def _resume_pause(draft: Draft) -> None:
    if draft.place is State.PAUSED:
        if draft.pause.due > draft.now:
            _say_unsaid(draft)
            draft.listen("paused")
            if draft.pause.breath:
                draft.start("breathe", figures.BREATH_IN)
        return  # a due return clock fires at once and decides whether to call
    if draft.place is State.CALLING and draft.now - draft.pause.due > figures.LATE_AFTER:
        draft.set(unsaid=())
        draft.go(Trigger.TOO_LATE)
        draft.listen("here")
    elif draft.s.asked is not None:
        draft.set(unsaid=())
        draft.ask_again("resumed")
    else:
        _say_unsaid(draft)
        draft.listen("here")


def _lost_time(draft: Draft) -> None:
    """The clock cannot be trusted: ask, do not assume. (design 3)"""
    if draft.s.state in OVERLAYS:
        draft.go(Trigger.RESUME)
    draft.set(unsaid=())
    draft.cancel("return", "reminder", "call")
    draft.go(Trigger.SKIP_RATING)
    draft.ask("return.lost_time", "ready")


def _say_unsaid(draft: Draft, but: int = 0) -> None:
    """Save first, speak second: what a power cut swallowed is said again."""
    unsaid: tuple[Say, ...] = draft.s.unsaid
    draft.set(unsaid=())
    for say in unsaid:
        if say.number != but:
            draft.say(say.prompt, "resumed", **say.slots)


# -- hearing -------------------------------------------------------------------------------------------------------------


def _heard(draft: Draft, event: Heard) -> None:
    state = draft.s.state
    if state is State.MUTED:
        if event.intent == "wake":
            rails.wake(draft)
        return
    if rails.safety(draft, event) or rails.rail(draft, event):
        return
    if state in (State.BEAT, State.HELD):
        return
    answer = _ANSWERS[state]
    if answer(draft, event):
        if draft.s.state is state and event.intent not in _NOTHING:
            draft.set(misses=0)
        offers.listen_for(draft, event)
        return
    if offers.listen_for(draft, event):
        return
    _miss(draft)


def _miss(draft: Draft) -> None:
    """Something was said that the question cannot use (or nothing, for too long): ask again, shorter; then the safe way."""
    if draft.s.asked is None or draft.s.state in (State.RESTING, State.CLOSED, State.PAUSED):
        return
    if draft.s.state is State.OFFERING:  # asked once: whoever does not answer has other things to say
        offers.unanswered(draft)
        return
    misses = draft.s.misses + 1
    draft.set(misses=misses)
    draft.cancel("no_input")
    if misses <= figures.REPROMPTS:
        draft.hush()
        draft.ask_again("again" if misses == 1 else "short")
        return
    draft.set(misses=0)
    match draft.s.state:
        case State.ASKING | State.CONFIRMING:
            pauses.no_answer(draft)
        case State.RATING | State.CHOOSING:
            returning.no_number_or_choice(draft)
        case State.LEADING:
            draft.hush()
            talk.missed(draft)
        case _:
            draft.listen(draft.s.asked.expected)


# -- speaking and clocks -------------------------------------------------------------------------------------------------


def _spoken(draft: Draft, event: Spoken) -> None:
    draft.set(unsaid=tuple(say for say in draft.s.unsaid if say.number > event.number))
    asked = draft.s.asked
    if asked is None or asked.number != event.number:
        return
    if draft.s.state is State.LEADING:
        talk.prompt_heard(draft)
    elif draft.s.state is not State.CALLING:
        draft.start("no_input", draft.wait(figures.REPLY_WAIT))


def _due(draft: Draft, clock: str) -> None:
    if not any(c.name == clock and c.due <= draft.now for c in draft.s.clocks):
        return
    draft.cancel(clock)
    match clock:
        case "return":
            returning.return_due(draft)
        case "reminder":
            returning.reminder_due(draft)
        case "call":
            returning.call_due(draft)
        case "breathe":
            pauses.breath_due(draft)
        case "no_input":
            _miss(draft)
        case "beat" | "hold":
            rails.overlay_due(draft, clock)
        case "turn" | "quiet" | "wait":
            if draft.s.state is State.LEADING:
                talk.clock_due(draft, clock)
        case _:
            rails.checkin_due(draft, clock)

"""The working copy of a snapshot while one event is handled: small verbs that change it and collect effects.

A draft lives for one call of `Session.handle`; handlers take it, change it, and never look outside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voiceguide.core import figures
from voiceguide.core.calendar import Calendar, UtcCalendar
from voiceguide.core.effects import Chime, Close, Dictated, Effect, Hush, Listen, Patience, Remember, Say, SayValue
from voiceguide.core.machine import OVERLAYS, State, Trigger, advance
from voiceguide.core.plan import Plans
from voiceguide.core.snapshot import Asked, Clock, Pause, Snapshot

Held = Mapping[str, str]
_UTC = UtcCalendar()


class Draft:
    """One event's worth of change. `held`: dictated words that are not confirmed yet (never part of a snapshot)."""

    def __init__(self, snapshot: Snapshot, now: float, plans: Plans, held: Held, calendar: Calendar = _UTC) -> None:
        self.s = snapshot
        self.now = now
        self.plans = plans
        self.calendar = calendar
        self.held: dict[str, str] = dict(held)
        self.effects: list[Effect] = []

    # -- state ---------------------------------------------------------------------------------------------------------

    def set(self, **changes: Any) -> None:
        """Replace fields of the snapshot."""
        self.s = replace(self.s, **changes)

    def go(self, trigger: Trigger) -> None:
        """Move through the table. Entering an overlay remembers the place underneath."""
        before = self.s.state
        after = advance(before, trigger, behind=self.s.behind, talk_open=self.s.position is not None)
        behind = before if after in OVERLAYS and before not in OVERLAYS else self.s.behind
        self.set(state=after, behind=behind)

    @property
    def place(self) -> State:
        """Where the couple is, looking through an overlay."""
        return self.s.behind if self.s.state in OVERLAYS else self.s.state

    @property
    def pause(self) -> Pause:
        """The pause under way; a fresh one if none is."""
        return self.s.pause or Pause(self.now)

    def set_pause(self, **changes: Any) -> None:
        """Replace fields of the pause, making one if there is none."""
        self.set(pause=replace(self.pause, **changes))

    # -- speaking ------------------------------------------------------------------------------------------------------

    def say(self, prompt: str, wording: str = "", **slots: SayValue) -> int:
        """Speak a prompt after what is already waiting; returns its number."""
        number = self.s.number + 1
        say = Say(prompt, self._with_people(slots), number, wording)
        self.effects.append(say)
        self.set(number=number, unsaid=(*self.s.unsaid, say), said=say)
        return number

    def ask(self, prompt: str, expected: str, patience: Patience = Patience.CLOSED, wording: str = "", **slots: SayValue) -> None:
        """Speak a prompt and listen for its answer. The wait for it begins when the prompt has been heard."""
        self.cancel("no_input")
        self._tell_of_store()
        number = self.say(prompt, wording, **slots)
        self.set(asked=Asked(prompt, expected, patience, number, slots))
        self.effects.append(Listen(expected, patience))

    def _tell_of_store(self) -> None:
        """That nothing can be kept is told once, before a question: nobody's dinner is interrupted for it, and no ending."""
        match self.s.store:
            case "lost":
                self.set(store="told")
                self.say("trouble.keeping_nothing")
            case "back":
                self.set(store="")
                self.say("trouble.keeping_again")

    def ask_again(self, wording: str) -> bool:
        """Ask the open question once more in other words; False when none is open."""
        asked = self.s.asked
        if asked is None:
            return False
        self.ask(asked.prompt, asked.expected, asked.patience, wording, **asked.slots)
        return True

    def listen(self, expected: str, patience: Patience = Patience.CLOSED) -> None:
        """Listen without asking."""
        self.set(asked=None, misses=0)
        self.cancel("no_input")
        self.effects.append(Listen(expected, patience))

    def chime(self, earcon: str) -> None:
        """Play an earcon before what is said next."""
        self.effects.append(Chime(earcon))

    def hush(self) -> None:
        """Fall silent, and forget what had not been said."""
        if self.s.unsaid:
            self.effects.append(Hush())
            self.set(unsaid=())

    def remember(self, kind: str, **values: SayValue) -> None:
        """Write to the ledger with this commit."""
        self.effects.append(Remember(kind, values))

    def close(self) -> None:
        """End the session."""
        self.effects.append(Close())

    def _with_people(self, slots: Mapping[str, SayValue]) -> dict[str, SayValue]:
        """Add the names of speaker and listener, where the couple gave names, for wording to use."""
        people: dict[str, SayValue] = {}
        names = self.s.household.names
        if len(names) == 2 and all(names):
            speaker, listener = self.s.roles
            people = {"speaker": Dictated(names[speaker]), "listener": Dictated(names[listener])}
        return {**people, **slots}

    # -- clocks --------------------------------------------------------------------------------------------------------

    def start(self, name: str, seconds: float, *, durable: bool = False) -> None:
        """(Re)start a clock that is due in `seconds`."""
        self.start_at(name, self.now + seconds, durable=durable)

    def start_at(self, name: str, due: float, *, durable: bool = False) -> None:
        """(Re)start a clock with an absolute time."""
        rest = tuple(c for c in self.s.clocks if c.name != name)
        self.set(clocks=(*rest, Clock(name, due, durable)))

    def cancel(self, *names: str) -> None:
        """Stop clocks by name; those that do not run are no mistake."""
        self.set(clocks=tuple(c for c in self.s.clocks if c.name not in names))

    def cancel_floor_clocks(self) -> None:
        """Stop every clock that belongs to the present prompt or turn."""
        self.set(clocks=tuple(c for c in self.s.clocks if c.durable))

    def runs(self, name: str) -> bool:
        """Whether a clock of this name runs."""
        return any(c.name == name for c in self.s.clocks)

    def wait(self, seconds: float) -> float:
        """A wait of ours, longer for people who asked for more time."""
        return seconds * (figures.PATIENT_FACTOR if self.s.patient else 1.0)

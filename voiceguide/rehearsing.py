"""Rehearsals: a written conversation against the real session, understanding and wording, in virtual time.

Only ears and voice are missing: a line takes as long as its words, a prompt too. Used by `voiceguide rehearse` and by the tests.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Any

from voiceguide import settings
from voiceguide.assembly import Content
from voiceguide.core.effects import Say
from voiceguide.core.session import Session
from voiceguide.core.snapshot import Household, Snapshot
from voiceguide.dialogue import POWER, Dialogue, Line, clock_of, read_dialogue
from voiceguide.language.judgements import Meaning
from voiceguide.runtime.guide import Guide, Surroundings
from voiceguide.runtime.local_calendar import LocalCalendar
from voiceguide.runtime.loop import Loop
from voiceguide.runtime.mouth import TimedMouth
from voiceguide.runtime.store import MemoryStore
from voiceguide.runtime.timeline import VirtualTimeline

_WORDS_PER_SECOND = 2.5  # people in a tense moment; 150 a minute
_LONG = 60.0  # a relative time from here on counts from the line before, not from silence


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: `at` seconds from the start; either a partner's line or the guide's."""

    at: float
    who: str
    text: str = field(repr=False)
    intent: str = ""
    cues: tuple[str, ...] = ()
    prompt: str = ""
    wording: str = ""
    state: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object that `rehearse --json` prints (design 5)."""
        if self.who == "guide":
            return {"at": round(self.at, 2), "who": "guide", "prompt": self.prompt, "text": self.text, "state": self.state}
        return {"at": round(self.at, 2), "who": self.who, "text": self.text, "intent": self.intent, "cues": list(self.cues)}


class Rehearsal:
    """One run of one dialogue. `moments` fills as it is played."""

    def __init__(self, content: Content, dialogue: Dialogue, zone: tzinfo, store: MemoryStore | None = None) -> None:
        self._content = content
        self._dialogue = dialogue
        self._zone = zone
        self._start = dialogue.start.replace(tzinfo=zone).timestamp()
        self.timeline = VirtualTimeline(self._start)
        self.store = store or MemoryStore()
        self.moments: list[Moment] = []
        self._who = ""
        self._next = 0
        self._last_end = self._start
        self._alive = True
        self._speech = 0  # how many lines are being spoken
        self._quiet_since = self._start
        self._loop = Loop(self, self.timeline)
        self._build()

    def _build(self) -> None:
        """Wire a guide to what the store remembers: at the start, and after a power cut."""
        saved = self.store.load()
        snapshot = saved.snapshot if saved else self._at_first()
        session = Session(self._content.plans, snapshot, LocalCalendar(self._zone))
        phrase = self._content.phrasing(self.timeline.now, self._zone)
        self.mouth = TimedMouth(phrase, self.timeline)
        around = Surroundings(
            session=session,
            mind=self._content.mind(lambda: session.snapshot),
            mouth=self.mouth,
            store=self.store,
            timeline=self.timeline,
            observers=[self],
            zone=self._zone,
        )
        self.guide = Guide(around)
        self.session = session
        guide = self.guide
        mouth = self.mouth

        def spoken(number: int, seconds: float, complete: bool) -> None:
            if guide is self.guide:
                guide.spoken(number, seconds, complete=complete)
                if not mouth.speaking():
                    self._quiet_since = self.timeline.now()
                self._plan_next()

        mouth.on_spoken = spoken
        self.guide.begin(saved.at if saved else None)

    def _at_first(self) -> Snapshot:
        """Unless it is their first use: two people who are known by name, and have agreed to be heard."""
        names = self._dialogue.names
        known = not self._dialogue.first and len(names) > 1
        return Snapshot(household=Household(names=names if known else (), consented=not self._dialogue.first))

    def play(self) -> list[Moment]:
        """Play the whole conversation and return what happened."""
        self._plan_next()
        if self._done:
            self._finish()
        self._loop.run()
        return self.moments

    def _finish(self) -> None:
        """The last line is over: let the guide go on for a while, then stop."""
        self.timeline.at(self.timeline.now() + self._dialogue.end, self._loop.stop)

    @property
    def _done(self) -> bool:
        return self._next >= len(self._dialogue.lines) and not self._speech

    def next_due(self) -> float | None:
        """The guide's next clock, while there is power."""
        return self.guide.next_due() if self._alive else None

    def tick(self) -> None:
        """Pass time on to the guide."""
        self.guide.tick()

    # -- the partners --------------------------------------------------------------------------------------------------

    def _plan_next(self) -> None:
        """Schedule the next line if its moment is known: absolute, long after the last, or after a stretch of quiet."""
        if self._speech or self._next >= len(self._dialogue.lines):
            return
        line = self._dialogue.lines[self._next]
        number = self._next
        if not line.relative:
            when = self._start + line.at
        elif line.at >= _LONG or line.who == POWER:
            when = self._last_end + line.at
        elif self.mouth.speaking():
            return  # planned when the guide has finished
        else:
            when = max(self._quiet_since, self._last_end) + line.at
        self.timeline.at(max(when, self.timeline.now()), lambda: self._begin(line, number))

    def _begin(self, line: Line, number: int) -> None:
        if number != self._next or self._speech:
            return
        short = line.relative and line.at < _LONG and line.who != POWER
        if short and (self.mouth.speaking() or self.timeline.now() < max(self._quiet_since, self._last_end) + line.at - 1e-6):
            self._plan_next()
            return
        self._next += 1
        if line.who == POWER:
            self._power(line.text)
            return
        self._speech += 1
        seconds = max(len(line.text.split()), 1) / _WORDS_PER_SECOND
        self.timeline.at(self.timeline.now() + seconds, lambda: self._end(line, seconds))
        if self._alive:
            self.guide.speech_began()

    def _end(self, line: Line, seconds: float) -> None:
        self._speech -= 1
        self._who = line.who
        self._last_end = self.timeline.now()
        if self._alive:
            self.guide.utterance(line.text, seconds)
        else:
            self.moments.append(Moment(self.timeline.now() - self._start, line.who, line.text))
        self._plan_next()
        if self._done:
            self._finish()

    def _power(self, what: str) -> None:
        self._last_end = self._quiet_since = self.timeline.now()
        self.moments.append(Moment(self.timeline.now() - self._start, POWER, what))
        if what == "cut":
            self._alive = False
            self.mouth.on_spoken = lambda number, seconds, complete: None
            self.mouth.hush()
        else:
            self._alive = True
            self._build()
        self._plan_next()
        if self._done:
            self._finish()

    # -- Observer ------------------------------------------------------------------------------------------------------

    def heard(self, at: float, text: str, meaning: Meaning, state: str) -> None:
        """A line was understood."""
        cues = tuple(cue.kind for cue in meaning.cues) + ((f"safety.{meaning.safety}",) if meaning.safety else ())
        self.moments.append(Moment(at - self._start, self._who, text, meaning.intent, cues, state=state))

    def said(self, at: float, say: Say, text: str, state: str) -> None:
        """The guide speaks."""
        self.moments.append(Moment(at - self._start, "guide", text, prompt=say.prompt, wording=say.wording, state=state))

    def noted(self, at: float, what: str, detail: str) -> None:
        """Not part of a transcript."""


# -- voiceguide rehearse -----------------------------------------------------------------------------------------------


def rehearse_command(args: argparse.Namespace) -> int:
    """Play a file and print what happens."""
    language = args.language or settings.load().language
    dialogue = read_dialogue(Path(args.file))
    rehearsal = Rehearsal(Content.load(language, encoder=args.encoder), dialogue, local_zone())
    for moment in rehearsal.play():
        print(json.dumps(moment.as_json(), ensure_ascii=False) if args.json else as_text(moment))
    return 0


def as_text(moment: Moment) -> str:
    """One line for people: when, who, what, and what was understood."""
    detail = (
        f"  [{moment.prompt}]" if moment.prompt else f"  {{{', '.join((moment.intent, *moment.cues))}}}" if moment.intent else ""
    )
    return f"{clock_of(moment.at):>8}  {moment.who:<8} {moment.text}{detail}"


def local_zone() -> tzinfo:
    """The machine's zone, fixed at its present offset."""
    return datetime.now().astimezone().tzinfo or timezone.utc

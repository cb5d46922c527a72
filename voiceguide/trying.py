"""`voiceguide try`: the same guide, typed. Real time, real session; what is typed is what was heard."""

from __future__ import annotations

import argparse
import functools
import sys
import threading

from voiceguide import settings
from voiceguide.assembly import Content
from voiceguide.core import talk
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Say
from voiceguide.core.session import Session
from voiceguide.core.snapshot import Household, Snapshot
from voiceguide.errors import UsageError
from voiceguide.language.judgements import Meaning
from voiceguide.rehearsing import local_zone
from voiceguide.runtime.guide import Guide, Surroundings
from voiceguide.runtime.local_calendar import LocalCalendar
from voiceguide.runtime.loop import Loop
from voiceguide.runtime.mouth import TimedMouth
from voiceguide.runtime.store import MemoryStore
from voiceguide.runtime.timeline import RealTimeline
from voiceguide.whereabouts import country_of

_READING_RATE = 450.0  # words a minute: people read faster than the voice speaks


class Typed:
    """Prints what the guide says. (An Observer.)"""

    def heard(self, at: float, text: str, meaning: Meaning, state: str) -> None:  # noqa: ARG002 - the shape of Observer
        """What was understood, in brackets."""
        cues = "".join(f", {cue.kind}" for cue in meaning.cues)
        print(f"        ({meaning.intent}{cues})", flush=True)

    def said(self, at: float, say: Say, text: str, state: str) -> None:  # noqa: ARG002 - the shape of Observer
        """The guide's words."""
        print(f"guide:  {text}", flush=True)

    def noted(self, at: float, what: str, detail: str) -> None:
        """Nothing to show."""


def try_command(args: argparse.Namespace) -> int:
    """Type as either partner; Ctrl-D or Ctrl-C ends."""
    content = Content.load(args.language or settings.load().language)
    timeline = RealTimeline()
    store = MemoryStore()
    session = Session(
        content.plans, _at_step(content, args.step, timeline.now()) if args.step else None, LocalCalendar(local_zone())
    )
    mouth = TimedMouth(content.phrasing(timeline.now, local_zone(), country_of(settings.load())), timeline, _READING_RATE)
    guide = Guide(
        Surroundings(
            session=session,
            mind=content.mind(lambda: session.snapshot),
            mouth=mouth,
            store=store,
            timeline=timeline,
            observers=[Typed()],
            zone=local_zone(),
        )
    )
    mouth.on_spoken = lambda number, seconds, complete: guide.spoken(number, seconds, complete=complete)
    loop = Loop(guide, timeline)
    print("Type what one of you says, then Enter. Ctrl-D ends.\n", flush=True)

    def read() -> None:
        for line in sys.stdin:
            if text := line.strip():
                timeline.post(functools.partial(guide.utterance, text))
        timeline.post(loop.stop)

    threading.Thread(target=read, name="typing", daemon=True).start()
    guide.begin()
    loop.run()
    return 0


def _at_step(content: Content, where: str, now: float) -> Snapshot:
    """A snapshot in the middle of a talk, for authors."""
    plan, _, step = where.partition(":")
    if plan not in content.plans or (step and step not in content.plans[plan].steps):
        known = ", ".join(content.plans[plan].steps) if plan in content.plans else ", ".join(content.plans)
        raise UsageError("unknown_step", f"There is no step {where}", hint=f"Known: {known}")
    draft = Draft(Snapshot(household=Household(consented=True)), now, content.plans, {})
    talk.open_talk(draft, plan, step)
    return draft.s

"""Noticing that it is getting too much, and asking: never telling. (mission R3; domain 2.2)

Cues only ever earn a question, at most one in ten minutes; "not now" is respected for the rest of the talk.
"""

from __future__ import annotations

from voiceguide.core import figures, pauses, talk
from voiceguide.core.draft import Draft
from voiceguide.core.events import Cue, Heard
from voiceguide.core.fusion import Fusion
from voiceguide.core.machine import State, Trigger
from voiceguide.core.plan import Kind

SUGGESTED = "pause.suggested"  # a classifier's reading, not a template's: it may ask, it may not act (design 4)


def listen_for(draft: Draft, event: Heard) -> bool:
    """Add the utterance's cues; offer a pause when they have gathered. True when it did."""
    if draft.s.state not in (State.RESTING, State.LEADING):
        return False
    # A sentence that was asked for (an answer, a name, a promise) is no sign in its words; the voice may still be one.
    answered = draft.s.state is State.LEADING and (event.intent not in ("talk", "none") or talk.here(draft).kind is not Kind.TALK)
    cues = tuple(cue for cue in event.cues if not answered or cue.family != "words" or cue.kind == SUGGESTED)
    fusion, offer = weigh(Fusion.from_plain(draft.s.fusion), cues, draft.now)
    draft.set(fusion=fusion.to_plain())
    if not offer:
        return False
    draft.hush()
    draft.cancel_floor_clocks()
    draft.go(Trigger.OFFER)
    draft.set(misses=0)
    draft.ask("offer.pause", "offer")
    return True


def weigh(fusion: Fusion, cues: tuple[Cue, ...], now: float) -> tuple[Fusion, bool]:
    """The cues of one utterance at `now` (seconds). True: ask, because they have gathered or nearly a pause was asked for."""
    fusion, offer = fusion.heard(cues, now)
    if not offer and any(cue.kind == SUGGESTED and cue.confidence >= figures.SURE_ENOUGH for cue in cues):
        fusion, offer = fusion.suggested(now)
    return fusion, offer


def answered(draft: Draft, heard: Heard) -> bool:
    """A yes becomes a pause; anything like a no is the end of it."""
    match heard.intent:
        case "yes" | "first":
            pauses.call(draft, heard)
        case "no" | "not_now" | "not_yet" | "done" | "second":
            draft.set(fusion=Fusion.from_plain(draft.s.fusion).declined().to_plain())
            _go_on(draft, "offer.declined")
        case "talk" | "none":
            unanswered(draft)
        case _:
            return False
    return True


def respect(draft: Draft) -> None:
    """A "not now" counts for the rest of the talk; outside an offer it changes nothing else and is not answered."""
    fusion = Fusion.from_plain(draft.s.fusion)
    if fusion.offered is not None and draft.now - fusion.offered <= figures.MINUTE:
        draft.set(fusion=fusion.declined().to_plain())


def unanswered(draft: Draft) -> None:
    """They talk on, or nobody answers: that is an answer too, and no reason to ask again soon."""
    _go_on(draft, "")


def _go_on(draft: Draft, prompt: str) -> None:
    draft.hush()
    draft.set(asked=None)
    draft.cancel("no_input")
    draft.go(Trigger.RESUME)
    if prompt:
        draft.say(prompt)
    resume_place(draft)


def resume_place(draft: Draft) -> None:
    """Take up the place that lay under an overlay, without starting it anew where nothing needs saying."""
    if draft.s.state is State.LEADING:
        talk.resume(draft)
    elif draft.s.asked is not None and draft.s.state is not State.PAUSED:
        draft.ask_again("again")
    else:
        draft.listen("paused" if draft.s.state is State.PAUSED else "resting")

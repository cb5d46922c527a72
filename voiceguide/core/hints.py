"""One kind way to say it better: when an apology is hedged, or a promise or request lacks something.

Laws. One suggestion at a time, for the first thing only; at most twice in a talk, then what was said is accepted and the talk
goes on. What is owned or complete is never sent back. What was found is never named, only how to say it.
(domain 4, mission R1, R5, R12)
"""

from __future__ import annotations

from voiceguide.core import figures
from voiceguide.core.draft import Draft
from voiceguide.core.events import Heard
from voiceguide.core.plan import Floor, Step

_WANTING = ("hedged", "missing")
LONG = "long"  # the part that is missing from a promise of two hundred words: an end
_ACT, _CUE = "act", "cue"


def part_of(event: Heard, step: Step) -> str:
    """The first thing that is wanting in what was said at `step`: a kind of hedge, a missing part, or "" for nothing."""
    if step.dictates and len(event.text) > figures.DICTATED_LONGEST:
        return LONG
    judged, _, part = str(event.slots.get("judged", "")).partition(".")
    return part if judged in _WANTING and part not in step.ignores else ""


def give(draft: Draft, step: Step, event: Heard) -> bool:
    """Answer what is wanting with one hint and listen again. False: accepted as it is."""
    part = part_of(event, step)
    key = _key(draft, step)
    given = draft.s.visits.get(key, 0)
    if step.dictates and _completes(draft, step, event, part):
        return False
    if not part or given >= figures.HINTS:
        return False
    draft.set(visits={**draft.s.visits, key: given + 1}, misses=0)
    if step.dictates and part != LONG:
        draft.held[step.dictates] = event.text
        draft.held[_asked_for(step)] = part
    draft.hush()
    draft.cancel_floor_clocks()
    draft.ask(f"{step.hints}.{part}", step.expect, step.patience)
    return True


def hold(draft: Draft, step: Step, event: Heard) -> None:
    """Hold what was dictated until it is confirmed. A second saying that lacks something leaves the first as it is.

    `begin` and `end` are the characters that matter: of "my name is Ben" only the name is kept.
    """
    name = step.dictates
    part = part_of(event, step)
    asked_for = draft.held.pop(_asked_for(step), "")
    earlier = draft.held.get(name, "")
    if part == LONG or (part and earlier and not step.hints):
        return
    if earlier and part == _ACT and asked_for not in ("", _ACT):
        ordered = (event.text, earlier) if asked_for == _CUE else (earlier, event.text)
        draft.held[name] = " ".join(ordered)
    else:
        draft.held[name] = event.text[int(event.slots.get("begin", 0)) : int(event.slots.get("end", len(event.text)))]


def _completes(draft: Draft, step: Step, event: Heard, part: str) -> bool:
    """Asked for the when, they said just the when: that completes what they had said before."""
    asked_for = draft.held.get(_asked_for(step), "")
    return part == _ACT and asked_for not in ("", _ACT) and bool(event.text)


def _key(draft: Draft, step: Step) -> str:
    """Hints are counted for each of the two: one's stumbling is not the other's."""
    kind = ".".join(step.hints.split(".")[:2])  # "hint.apology" and "hint.apology.rest" are counted together
    return f"{kind}:{draft.s.roles[1 if step.floor is Floor.LISTENER else 0]}"


def _asked_for(step: Step) -> str:
    return f"_{step.dictates}"

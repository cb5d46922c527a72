"""What can be understood of an utterance: the values that detectors return and `understand --json` prints.

Frozen; no judgement holds more of the text than character spans into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from voiceguide.core.events import Cue

Slot = Union[str, int, float]


@dataclass(frozen=True, slots=True)
class Hedge:
    """One of ten kinds (domain 4.2, 4.6): conditional, feelings, but, passive, blame, minimising, impatient, vague,
    self_pity, intention. `span` is the (start, end) of the characters that show it."""

    kind: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Apology:
    """`owned`: first person, deed named, no hedge. `components` of domain 4.1 that were present (never read out)."""

    owned: bool
    hedges: tuple[Hedge, ...] = ()
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Promise:
    """`missing`, in the order in which to ask: act, cue, visible, bounded, own (domain 4.3). `observable`: nothing missing."""

    observable: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """`missing`: act, visible, when, positive (domain 4.4)."""

    observable: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """All that was understood. `intent` is an id of `content/contract.toml`, "talk" for free speech, "none" for nothing.

    `certain` is True for templates (act at once), False for suggestions by a classifier (ask).
    `return_seconds`: seconds from `now` to a definite return time, else None. `safety`: "", "threat", "fear", "coercion",
    "violence", "self_harm" or "danger" (immediate). Judgements are None where they were not asked for.
    """

    intent: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    certain: bool = True
    confidence: float = 1.0
    return_seconds: float | None = None
    cues: tuple[Cue, ...] = ()
    apology: Apology | None = None
    promise: Promise | None = None
    request: Request | None = None
    past_as_weapon: bool = False
    safety: str = ""

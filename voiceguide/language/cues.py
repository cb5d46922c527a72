"""Signs of overwhelm and of a quarrel in words (domain 1.3, 4.7), and a wish to pause that no template knew.

No sign acts; each counts towards one kind question (domain 2.2). Ordinary talk is the touchstone: phrases of a list were
right in 1 of 32 hits on real conversation (measured), so a phrase alone is a feature of the heads and not a finding.
"""

from __future__ import annotations

from collections.abc import Collection

from voiceguide.core.events import Cue
from voiceguide.language.reading import Reading

NONE = "none"
PAUSE = "pause"
LEAST = 0.5  # of any cue at all; training replaces it
SURE_PAUSE = 0.5
# A sign counts from here on, whatever training chose on written talk. In 24 hours of telephone talk 222 sentences
# reached .92 (a mistaken question in every hour), 113 reached this (one in two hours and a quarter).
SURE_SIGN = 0.95
FAINT = 0.25  # what a sign counts that ordinary talk has as well: too little for any question (figures.LEAST_CONFIDENCE)
RULES_ONLY = 0.5  # how sure a phrase is where no head could judge it
_BODY, _OVERWHELM = "flooding.body", "flooding.explicit"


def find_cues(reading: Reading) -> tuple[Cue, ...]:
    """The likeliest kind of sign, with the probability that there is any; () for ordinary talk."""
    likely = reading.ask("cue")
    if not likely:
        return _by_rules(reading)
    any_sign = 1.0 - likely[NONE]
    if any_sign < reading.threshold("cue", "any", LEAST):
        return ()
    kind = max((kind for kind in likely if kind != NONE), key=lambda kind: likely[kind])
    sure = any_sign >= max(reading.threshold("cue", "sure", LEAST), SURE_SIGN)
    return (Cue(kind, any_sign if sure else FAINT * any_sign),)


def wants_pause(reading: Reading) -> float:
    """How likely it is that a pause was asked for, 0 to 1; 0 below what may be suggested at all."""
    likely = reading.ask("pause")
    if not likely:
        return RULES_ONLY if "explicit" in reading.rules("pause") else 0.0
    wish = likely[PAUSE]
    name = "supported" if is_supported(reading.found) else PAUSE
    return wish if wish >= reading.threshold("pause", name, SURE_PAUSE) else 0.0


def is_supported(found: Collection[str]) -> bool:
    """Whether a phrase that plainly asks for a break was found; then the head needs to be less sure."""
    return "pause.explicit" in found


def doubtful_danger(risk: float) -> Cue:
    """What an unclear word of danger leads to: the same sign as overwhelm, which ends in an ordinary pause (domain 5.2, 11)."""
    return Cue(_OVERWHELM, min(RULES_ONLY, risk))


def _by_rules(reading: Reading) -> tuple[Cue, ...]:
    if "flooded" in reading.rules("pause"):
        return (Cue(_OVERWHELM, RULES_ONLY),)
    kinds = reading.rules("cues")
    names = [_BODY if kind == "body" else kind for kind in kinds]
    return (Cue(names[0], RULES_ONLY),) if names else ()

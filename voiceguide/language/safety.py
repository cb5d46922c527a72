"""Danger to a person (domain 5.3): which kind, nothing, or a doubt. A doubt is no finding: it gives an ordinary pause (5.2).

Immediate danger and self-harm are told apart, because they are answered differently (5.2 rules 8 and 9).
"""

from __future__ import annotations

from collections.abc import Collection

from voiceguide.language.reading import Reading

KINDS = ("threat", "fear", "coercion", "violence", "self_harm", "danger")
NONE = "none"
SURE = 0.5
DOUBT = 0.3
_LOOK_ALIKE = "look_alike"
# Without a phrase of danger a head may not end a talk for less. Measured on 24 hours of telephone talk, which hold no danger:
# from .80 on it would have ended 32 talks, from here on one. What is left below is a doubt: an ordinary pause (5.2 rule 11).
HEAD_ALONE = 0.94
LEAST_DOUBT = 0.75


def judge_safety(reading: Reading) -> tuple[str, float]:
    """The kind ("" for none) and how likely it is that any kind was meant, 0 to 1."""
    spans = reading.rules("safety")
    plain = [kind for kind in ("danger", "self_harm", "threat", "fear") if f"plain_{kind}" in spans]
    if plain and _LOOK_ALIKE not in spans:
        return plain[0], 1.0
    likely = reading.ask("safety")
    if not likely:
        kinds = [kind for kind in ("danger", "self_harm", *KINDS) if kind in spans]
        return (kinds[0], 1.0) if kinds and _LOOK_ALIKE not in spans else ("", 0.0)
    risk = 1.0 - likely[NONE]
    if risk < _least(reading):
        return "", risk
    return max((kind for kind in KINDS if kind in likely), key=lambda kind: likely[kind]), risk


def is_supported(found: Collection[str]) -> bool:
    """Whether a phrase of danger was found and no idiom that looks like one; then the heads need to be less sure."""
    return any(f"safety.{kind}" in found for kind in KINDS) and f"safety.{_LOOK_ALIKE}" not in found


def _least(reading: Reading) -> float:
    if is_supported(reading.found):
        return reading.threshold("safety", "supported", SURE)
    return max(reading.threshold("safety", "sure", SURE), HEAD_ALONE)


def is_doubtful(reading: Reading, risk: float) -> bool:
    """Too much to ignore, too little to act on."""
    least = reading.threshold("safety", "doubt", DOUBT) if is_supported(reading.found) else LEAST_DOUBT
    return least <= risk < _least(reading)

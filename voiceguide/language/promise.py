"""A promise that can be seen to be kept: own act, cue, visible, bounded, one's own (domain 4.3); the first missing part."""

from __future__ import annotations

from collections.abc import Mapping

from voiceguide.language.judgements import Promise
from voiceguide.language.reading import Reading

OK = "ok"
ORDER = ("act", "cue", "visible", "bounded", "own")


def judge_promise(reading: Reading) -> Promise:
    """Observable, or the one part to ask for first."""
    likely = reading.ask("promise")
    missing = _by_rules(reading.rules("promise")) if not likely else _likeliest(likely, reading)
    return Promise(missing == OK, () if missing == OK else (missing,))


def _likeliest(likely: Mapping[str, float], reading: Reading) -> str:
    if likely.get(OK, 0.0) >= reading.threshold("promise", OK, 0.5):
        return OK
    return max((part for part in ORDER if part in likely), key=lambda part: likely[part], default=ORDER[0])


def _by_rules(found: dict[str, tuple[int, int]]) -> str:
    if "act" not in found and ("soft" in found or "try" in found or "commits" not in found):
        return "act"
    if "trade" in found:
        return "own"
    if "grand" in found:
        return "bounded"
    if "cue" not in found:
        return "cue"
    return "visible" if "inner" in found and "act" not in found else OK

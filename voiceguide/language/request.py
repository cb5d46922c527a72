"""A request that could be filmed: an act, visible, when, and something to do rather than to stop (domain 4.4)."""

from __future__ import annotations

from voiceguide.language.judgements import Request
from voiceguide.language.reading import Reading

OK = "ok"
ORDER = ("act", "visible", "when", "positive")


def judge_request(reading: Reading) -> Request:
    """Observable, or the one part to ask for first."""
    likely = reading.ask("request")
    if likely:
        sure = likely.get(OK, 0.0) >= reading.threshold("request", OK, 0.5)
        missing = OK if sure else max((part for part in ORDER if part in likely), key=lambda part: likely[part])
    else:
        missing = _by_rules(reading.rules("request"))
    return Request(missing == OK, () if missing == OK else (missing,))


def _by_rules(found: dict[str, tuple[int, int]]) -> str:
    if "stop" in found and "act" not in found:
        return "positive"
    if "act" not in found:
        return "visible" if "vague" in found else "act"
    return OK if "when" in found else "when"

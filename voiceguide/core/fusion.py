"""When signs of overwhelm earn one question: never one sign, never the voice alone, never twice in ten minutes.

An explicit request for a pause does not come through here; it acts at once. Everything else is only a sign, and a wrong
question costs more than a late one (domain 2.2: conflict detectors in the wild are near chance; more than one wrong offer
in ten minutes and the device is unplugged). Pure: `now` comes in, a new `Fusion` comes out. Holds kinds and confidences,
never words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceguide.core import figures
from voiceguide.core.events import Cue

STEPS = ("less", "normal", "more")  # of sensitivity


@dataclass(frozen=True, slots=True)
class Sign:
    """A cue and when it came (`at`, seconds of the session's clock)."""

    kind: str
    family: str
    confidence: float
    at: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """What has been noticed in the last minute, and what was already offered. `offered`: when, None for never.

    `silenced`: a spoken "not now", respected until the talk ends. `raised`: the bar is higher until a calm minute.
    """

    signs: tuple[Sign, ...] = ()
    offered: float | None = None
    silenced: bool = False
    raised: bool = False
    sensitivity: str = "normal"

    def heard(self, cues: tuple[Cue, ...], now: float) -> tuple[Fusion, bool]:
        """Take in the cues of one utterance at `now` (seconds). True: offer a pause, once, as a question."""
        offered = None if self.offered is None else min(self.offered, now)  # a clock set back restarts the rest
        recent = tuple(sign for sign in self.signs if 0.0 <= now - sign.at <= figures.CUE_WINDOW)
        new = tuple(_sign(cue, now) for cue in cues if cue.confidence >= figures.LEAST_CONFIDENCE)
        resting = offered is not None and now - offered < figures.OFFER_REST
        raised = self.raised and (bool(recent) or (offered is not None and now - offered <= figures.CUE_WINDOW))
        signs = (recent + new)[-figures.SIGNS_KEPT:]
        state = replace(self, signs=signs, offered=offered, raised=raised)
        if self.silenced or resting or not new or not _convincing(signs):
            return state, False
        if _weight(signs) < figures.BARS[self.sensitivity] * (figures.REPEATED_BAR if raised else 1.0):
            return state, False
        return replace(state, signs=(), offered=now, raised=True), True

    def suggested(self, now: float) -> tuple[Fusion, bool]:
        """Words that mean a pause, though nobody asked in so many words: worth the question at once, with the same rest."""
        offered = None if self.offered is None else min(self.offered, now)
        if self.silenced or (offered is not None and now - offered < figures.OFFER_REST):
            return replace(self, offered=offered), False
        return replace(self, signs=(), offered=now, raised=True), True

    def declined(self) -> Fusion:
        """A spoken "not now": nothing is offered for the rest of the talk."""
        return replace(self, silenced=True, signs=())

    def fresh(self) -> Fusion:
        """For a new talk: signs and a "not now" are over; the rest after an offer and the sensitivity stay."""
        return replace(self, signs=(), silenced=False, raised=False)

    def adjusted(self, by: int) -> Fusion:
        """One step less (-1) or more (+1) sensitive; stays at the ends."""
        at = min(max(STEPS.index(self.sensitivity) + by, 0), len(STEPS) - 1)
        return replace(self, sensitivity=STEPS[at])

    def with_sensitivity(self, sensitivity: str) -> Fusion:
        """Set by the word: less, normal or more. Raises ValueError for another."""
        if sensitivity not in figures.BARS:
            raise ValueError(f"sensitivity must be one of {', '.join(STEPS)}")
        return replace(self, sensitivity=sensitivity)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able data for the snapshot."""
        return {
            "signs": [[sign.kind, sign.family, sign.confidence, sign.at] for sign in self.signs],
            "offered": self.offered,
            "silenced": self.silenced,
            "raised": self.raised,
            "sensitivity": self.sensitivity,
        }

    @staticmethod
    def from_plain(data: Mapping[str, Any]) -> Fusion:
        """What `to_plain` wrote; missing keys have their defaults. Raises ValueError or TypeError on anything else."""
        offered = data.get("offered")
        return Fusion(
            signs=tuple(Sign(str(k), str(f), float(c), float(at)) for k, f, c, at in data.get("signs", ())),
            offered=None if offered is None else float(offered),
            silenced=bool(data.get("silenced", False)),
            raised=bool(data.get("raised", False)),
        ).with_sensitivity(str(data.get("sensitivity", "normal")))


def _sign(cue: Cue, now: float) -> Sign:
    return Sign(cue.kind, cue.family, min(max(cue.confidence, 0.0), 1.0), now)


def _convincing(signs: tuple[Sign, ...]) -> bool:
    """Words, and a second thing beside them: another family, or another kind of words said at another moment.

    Two detectors that fire on the same sentence are one sign (they err together); contempt twice is two.
    """
    words = [sign for sign in signs if sign.family == "words"]
    if not words:
        return False
    if len({sign.family for sign in signs}) >= 2:
        return True
    return any(one.at != other.at and (one.kind != other.kind or one.kind == "contempt") for one in words for other in words)


def _weight(signs: tuple[Sign, ...]) -> float:
    """The evidence together: the surest sign of each kind, and a second contempt. Repeats of one kind add nothing."""
    total = 0.0
    for kind in sorted({sign.kind for sign in signs}):
        by_moment: dict[float, float] = {}
        for sign in signs:
            if sign.kind == kind:
                by_moment[sign.at] = max(by_moment.get(sign.at, 0.0), sign.confidence)
        counted = sorted(by_moment.values(), reverse=True)[: 2 if kind == "contempt" else 1]
        family = kind.split(".", maxsplit=1)[0]
        total += sum(counted) * figures.WEIGHTS.get(kind, figures.WEIGHTS.get(family, figures.OTHER_WEIGHT))
    return total

"""What is usual for each voice, and whether it has been well above its usual for *seconds*, not for one loud word.

Place and spread are learnt in the session's first calm minutes and followed slowly after (median and median deviation, so
that one shout moves neither). Thresholds of acted speech do not carry over: spontaneous speech spreads four times as wide,
so the spread of spontaneous speech is the assumption until a voice has shown its own. What is heard is arousal, never
anger: a cue here asks nothing by itself. Pure: frozen values in, frozen values out; `at` is audio time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from voiceguide.core.events import Cue
from voiceguide.runtime.ports import Prosody
from voiceguide.runtime.prosody import is_speech

# level (dB), median pitch (st), high pitch (st), tilt (dB), syllables a second
Row = tuple[float, float, float, float, float]
LEVEL, PITCH, HIGH, TILT, RATE = range(5)
ASSUMED_SPREAD: Row = (4.6, 3.5, 3.5, 3.8, 1.0)  # within a speaker, spontaneous speech (measured)
LEAST_SPREAD: Row = (1.5, 1.0, 1.0, 1.2, 0.5)  # no voice is steadier than this outside a studio
ASSUMED_WEIGHT = 6.0  # utterances: how many of one's own outweigh the assumption
ROWS_KEPT = 60  # about five minutes of one's own speech: slow enough not to follow a quarrel up
ROWS_TO_KNOW = 8
SECONDS_TO_KNOW = 20.0
Z_LIMITS = (-3.0, 4.0)
FOLLOW_UP_TO = 1.0  # an utterance further above the usual than this is not taken for calm ...
FOLLOW_EVERY = 4  # ... but for every fourth: a voice that stays up is, in the end, how they talk tonight
STEP_Z = 1.5  # a level this far off, while pitch and tilt are on the mean no further off than
STEP_OTHERS = 0.7  # this,
STEP_COUNT = 4  # in so many utterances in a row, is the microphone's doing, or the distance to it
GAIN_STEPS = 3  # steps after which the level is not believed any more
LEVELLED_DB = 0.6  # spread of level below which a gain control must be at work (acted and levelled read speech: 0.7 to 1)
LEVELLED_ROWS = 12


@dataclass(frozen=True, slots=True)
class Excess:
    """How far an utterance lies above its speaker's usual, in units of that speaker's spread; `score` sums them up.

    `known` is False until the usual has been learnt (then every number is 0). `level_free`: the level was not believed.
    """

    level: float = 0.0
    pitch: float = 0.0
    tilt: float = 0.0
    rate: float = 0.0
    score: float = 0.0
    known: bool = False
    level_free: bool = False

    @property
    def agreed(self) -> bool:
        """Whether all say so: nobody shouts without level and pitch. A level alone is a step nearer, level and tilt together
        are rain on the window (each measured); a high voice far away raises the pitch alone.

        This tells no adult from a child. A child who cries into the microphone raises all of them and agrees; only that few
        words are recognised then keeps `VoiceWatch.heard` from counting it, and one who cries beside a speaking adult may count.
        """
        return (self.level_free or self.level >= 0.5) and self.pitch >= 0.4 and self.beside_level >= 0.5

    @property
    def beside_level(self) -> float:
        """What pitch and tilt say together."""
        return (self.pitch + self.tilt) / 2


@dataclass(frozen=True, slots=True)
class Usual:
    """One voice's calm utterances, the latest ROWS_KEPT of them. `off`: the last utterances, while their level may
    be a step of the gain; `skipped`: raised ones since the last that was learnt from; `steps`: of the gain."""

    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    skipped: int = 0
    off: tuple[Row, ...] = ()
    steps: int = 0

    @property
    def known(self) -> bool:
        """Whether there is enough to compare with."""
        return len(self.rows) >= ROWS_TO_KNOW and self.seconds >= SECONDS_TO_KNOW

    @property
    def levelled(self) -> bool:
        """Whether an automatic gain control sits between the voice and us."""
        if self.steps >= GAIN_STEPS:
            return True
        return len(self.rows) >= LEVELLED_ROWS and _deviation([row[LEVEL] for row in self.rows]) < LEVELLED_DB

    def excess(self, row: Row, *, level_free: bool = False) -> Excess:
        """Compare one utterance with the usual."""
        if not self.known:
            return Excess(level_free=level_free)
        z = [self._z(row, at) for at in range(5)]
        pitch = (z[PITCH] + z[HIGH]) / 2
        level_free = level_free or self.levelled
        score = fmean((pitch, z[TILT]) if level_free else (z[LEVEL], pitch, z[TILT]))
        return Excess(z[LEVEL], pitch, z[TILT], z[RATE], score, True, level_free)

    def taking(self, row: Row, seconds: float) -> Usual:
        """Learn from one utterance; `seconds` of it were speech. Levels far off wait until it is clear what they are."""
        if not self.known:
            return replace(self, rows=(*self.rows, row), seconds=self.seconds + seconds)
        level = self._z(row, LEVEL)
        away = abs(level) >= STEP_Z and (not self.off or (self._z(self.off[0], LEVEL) > 0) == (level > 0))
        if not away:
            return replace(self, off=()).following((*self.off, row))
        off = (*self.off, row)
        if len(off) < STEP_COUNT:
            return replace(self, off=off)
        if max(abs(fmean(self._z(one, at) for one in off)) for at in (PITCH, TILT)) < STEP_OTHERS:
            return self._after_step(off)
        return replace(self, off=off[1:]).following(off[:1])

    def following(self, rows: tuple[Row, ...]) -> Usual:
        """Take calm utterances in, and every FOLLOW_EVERY-th of those that lie above the usual."""
        usual = self
        for row in rows:
            if usual.excess(row).score > FOLLOW_UP_TO and usual.skipped < FOLLOW_EVERY - 1:
                usual = replace(usual, skipped=usual.skipped + 1)
            else:
                usual = replace(usual, rows=(*usual.rows, row)[-ROWS_KEPT:], skipped=0)
        return usual

    def _after_step(self, off: tuple[Row, ...]) -> Usual:
        """Only the level changed, for several utterances in a row: the usual moves there at once."""
        by = median(one[LEVEL] for one in off) - median(one[LEVEL] for one in self.rows)
        moved = tuple((one[LEVEL] + by, one[PITCH], one[HIGH], one[TILT], one[RATE]) for one in self.rows)
        return replace(self, rows=(*moved, *off)[-ROWS_KEPT:], off=(), skipped=0, steps=self.steps + 1)

    def _z(self, row: Row, at: int) -> float:
        values = [one[at] for one in self.rows]
        count, own = len(values), max(_deviation(values), _reach(values))
        assumed = ASSUMED_WEIGHT * ASSUMED_SPREAD[at] ** 2
        spread = max(math.sqrt((count * own**2 + assumed) / (count + ASSUMED_WEIGHT)), LEAST_SPREAD[at])
        low, high = Z_LIMITS
        return min(max((row[at] - median(values)) / spread, low), high)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The usual of the room, and of each partner where turns tell who speaks. `automatic_gain`: known from the settings."""

    room: Usual = Usual()
    partners: Mapping[int, Usual] = field(default_factory=dict)
    automatic_gain: bool = False

    def update(self, prosody: Prosody, who: int | None = None) -> Baseline:
        """Learn from one utterance of partner `who` (0 or 1; None: not known). What is no speech teaches nothing."""
        row = row_of(prosody)
        if row is None:
            return self
        room = self.room.taking(row, prosody.active_seconds)
        if who is None:
            return replace(self, room=room)
        usual = self.partners.get(who, Usual()).taking(row, prosody.active_seconds)
        return replace(self, room=room, partners={**self.partners, who: usual})

    def excess(self, prosody: Prosody, who: int | None = None) -> Excess:
        """Against the partner's own usual where it is known, else against the room's (wider, so slower to fire)."""
        row = row_of(prosody)
        if row is None:
            return Excess()
        own = self.partners.get(who) if who is not None else None
        return (own if own is not None and own.known else self.room).excess(row, level_free=self.automatic_gain)


# Score that calm speech stays below on the whole, and score-seconds above it that must gather before a cue is given. Chosen
# on read speech, made into talks of two, as read and spread out as spontaneous speech is: about one false cue an hour, and a
# raised voice noticed after 15 to 20 s. A running sum did this at half the delay of counting seconds within a window.
DRIFT: Mapping[str, float] = {"less": 1.2, "normal": 1.0, "more": 0.8}
ENOUGH: Mapping[str, float] = {"less": 8.0, "normal": 5.0, "more": 3.0}
FAST_DRIFT = 1.0
FAST_ENOUGH = 12.0
SUSTAINED_SECONDS = 6.0  # of speech above the usual, at least (domain 8 says 3; a cheer lasts as long)
LONGEST_SHARE = 8.0  # seconds: what one utterance can add
COOLED_AFTER = 45.0  # seconds without a word: whatever it was, it is over
CUE_EVERY = 45.0  # seconds: a cue is told again only while it lasts
LEAST_WORDS_PER_SECOND = 0.5  # fewer were recognised: a laugh, a cheer, a song, a cry


@dataclass(frozen=True, slots=True)
class Heat:
    """A running sum of how far, and for how many `seconds`, a voice has been above its usual; calm speech cools it."""

    amount: float = 0.0
    seconds: float = 0.0
    at: float = 0.0

    def with_utterance(self, above: float, seconds: float, at: float) -> Heat:
        """`above`: score less the drift, negative for calm speech; `at`: when the utterance of `seconds` of speech ended."""
        silent = at - self.at - seconds > COOLED_AFTER or at < self.at
        amount = max((0.0 if silent else self.amount) + above * min(seconds, LONGEST_SHARE), 0.0)
        if amount == 0.0:
            return Heat(at=at)
        return Heat(min(amount, 2 * FAST_ENOUGH), (0.0 if silent else self.seconds) + (seconds if above > 0 else 0.0), at)

    def reached(self, enough: float) -> bool:
        """Whether it is much and long enough to be told."""
        return self.amount >= enough and self.seconds >= SUSTAINED_SECONDS


@dataclass(frozen=True, slots=True)
class VoiceWatch:
    """Hears each utterance and says when a voice has been up, or fast, for seconds on end.

    `raised` and `fast`: the heat of each voice (key: partner, -1 where not known). `told`: when each cue was last given.
    `sensitivity`: less, normal or more.
    """

    baseline: Baseline = Baseline()
    raised: Mapping[int, Heat] = field(default_factory=dict)
    fast: Mapping[int, Heat] = field(default_factory=dict)
    told: Mapping[str, float] = field(default_factory=dict)
    sensitivity: str = "normal"

    def heard(
        self, prosody: Prosody, at: float, who: int | None = None, words: int | None = None
    ) -> tuple[VoiceWatch, tuple[Cue, ...]]:
        """One utterance that ended at `at` (audio seconds). `words`: how many were recognised, None when not known."""
        wordless = words is not None and words < LEAST_WORDS_PER_SECOND * prosody.active_seconds
        if wordless or not is_speech(prosody):
            return self, ()
        found = self.baseline.excess(prosody, who)
        watch = replace(self, baseline=self.baseline.update(prosody, who))
        if not found.known:
            return watch, ()
        key, seconds = (-1 if who is None else who), prosody.active_seconds
        # Where the features do not agree, nothing builds up, and a level alone does not keep it from cooling.
        drift = DRIFT[self.sensitivity]
        above = found.score - drift if found.agreed else min(found.score - drift, found.beside_level - drift, 0.0)
        raised = self.raised.get(key, Heat()).with_utterance(above, seconds, at)
        fast = self.fast.get(key, Heat()).with_utterance(found.rate - FAST_DRIFT, seconds, at)
        watch = replace(watch, raised={**self.raised, key: raised}, fast={**self.fast, key: fast})
        return watch.telling(found, raised if above > 0 else Heat(), fast if found.rate > FAST_DRIFT else Heat(), at)

    def telling(self, found: Excess, raised: Heat, fast: Heat, at: float) -> tuple[VoiceWatch, tuple[Cue, ...]]:
        """The cues that this utterance completes; each is told at most once in CUE_EVERY seconds."""
        cues: list[Cue] = []
        enough = ENOUGH[self.sensitivity]
        if raised.reached(enough) and self._due("voice.raised", at):
            ceiling = 0.8 if found.level_free else 0.9
            cues.append(Cue("voice.raised", min(0.6 + 0.02 * (raised.amount - enough), ceiling), "voice"))
        if fast.reached(FAST_ENOUGH) and self._due("voice.fast", at):
            cues.append(Cue("voice.fast", min(0.4 + 0.02 * (fast.amount - FAST_ENOUGH), 0.6), "voice"))  # so is a happy story
        return replace(self, told={**self.told, **{cue.kind: at for cue in cues}}), tuple(cues)

    def _due(self, kind: str, at: float) -> bool:
        before = self.told.get(kind)
        return before is None or not 0.0 <= at - before < CUE_EVERY


def _reach(values: list[float]) -> float:
    """How far the upper sixth of the values lies above the median: two voices in one room make two humps, not one."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) * 21 // 25] - median(ordered)


def row_of(prosody: Prosody) -> Row | None:
    """The features that are compared, or None where there was no speech to compare."""
    if prosody.pitch_st is None or prosody.pitch_high_st is None or not is_speech(prosody):
        return None
    return (prosody.level_db, prosody.pitch_st, prosody.pitch_high_st, prosody.tilt_db, prosody.syllables_per_second)


def _deviation(values: list[float]) -> float:
    """A robust standard deviation: 1.4826 times the median distance from the median."""
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)

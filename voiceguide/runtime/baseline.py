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
STEP_Z = 2.0  # a level this far off while pitch and tilt stand still is the microphone's doing,
STEP_OTHERS = 0.8
STEP_COUNT = 3  # when it happens in this many utterances in a row
GAIN_STEPS = 2  # steps after which the level is not believed any more
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
        """At least two of the features say so: one alone is a step nearer to the microphone, a tune, or a hiss."""
        features = (self.pitch, self.tilt) if self.level_free else (self.level, self.pitch, self.tilt)
        return sum(z >= 0.8 for z in features) >= 2


@dataclass(frozen=True, slots=True)
class Usual:
    """One voice's calm utterances, the latest ROWS_KEPT of them. `off`: levels that look like a step of the gain."""

    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    skipped: int = 0
    off: tuple[float, ...] = ()
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

    def taking(self, row: Row, seconds: float, *, level_free: bool = False) -> Usual:
        """Learn from one utterance; `seconds` of it were speech."""
        found = self.excess(row, level_free=level_free)
        if not found.known:
            return replace(self, rows=(*self.rows, row), seconds=self.seconds + seconds)
        if not level_free and self._stepped(found):
            return self._after_step(row)
        if found.score > FOLLOW_UP_TO and self.skipped < FOLLOW_EVERY - 1:
            return replace(self, skipped=self.skipped + 1, off=())
        return replace(self, rows=(*self.rows, row)[-ROWS_KEPT:], seconds=self.seconds + seconds, skipped=0, off=())

    def _z(self, row: Row, at: int) -> float:
        values = [one[at] for one in self.rows]
        count, own = len(values), _deviation(values)
        assumed = ASSUMED_WEIGHT * ASSUMED_SPREAD[at] ** 2
        spread = max(math.sqrt((count * own**2 + assumed) / (count + ASSUMED_WEIGHT)), LEAST_SPREAD[at])
        low, high = Z_LIMITS
        return min(max((row[at] - median(values)) / spread, low), high)

    @staticmethod
    def _stepped(found: Excess) -> bool:
        return abs(found.level) >= STEP_Z and max(abs(found.pitch), abs(found.tilt)) < STEP_OTHERS

    def _after_step(self, row: Row) -> Usual:
        """After a few utterances in a row at another level, and nothing else changed: the usual moves there at once."""
        off = (*self.off, row[LEVEL])
        if len(off) < STEP_COUNT:
            return replace(self, off=off)
        by = median(off) - median(one[LEVEL] for one in self.rows)
        moved = tuple((one[LEVEL] + by, one[PITCH], one[HIGH], one[TILT], one[RATE]) for one in self.rows)
        return replace(self, rows=moved, off=(), steps=self.steps + 1)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The usual of the room, and of each partner where turns tell who speaks. `automatic_gain`: known from the settings."""

    room: Usual = Usual()
    partners: Mapping[int, Usual] = field(default_factory=dict)
    automatic_gain: bool = False

    def update(self, prosody: Prosody, who: int | None = None) -> Baseline:
        """Learn from one utterance of partner `who` (0 or 1; None: not known). What is no speech teaches nothing."""
        row = _row(prosody)
        if row is None:
            return self
        room = self.room.taking(row, prosody.active_seconds, level_free=self.automatic_gain)
        if who is None:
            return replace(self, room=room)
        usual = self.partners.get(who, Usual()).taking(row, prosody.active_seconds, level_free=self.automatic_gain)
        return replace(self, room=room, partners={**self.partners, who: usual})

    def excess(self, prosody: Prosody, who: int | None = None) -> Excess:
        """Against the partner's own usual where it is known, else against the room's (wider, so slower to fire)."""
        row = _row(prosody)
        if row is None:
            return Excess()
        own = self.partners.get(who) if who is not None else None
        return (own if own is not None and own.known else self.room).excess(row, level_free=self.automatic_gain)


# Score above which an utterance counts as raised, for each setting; 1.4 is about one in forty calm ones (measured).
RAISED_ABOVE: Mapping[str, float] = {"less": 1.8, "normal": 1.4, "more": 1.1}
FAST_ABOVE = 1.5
SUSTAINED_WINDOW = 45.0  # seconds of audio
SUSTAINED_SECONDS = 6.0  # of speech above the usual within the window (domain 8 says 3 s; 3 fires on lively talk)
SUSTAINED_SHARE = 0.6  # of all that was said in the window
CUE_EVERY = 45.0  # seconds: a cue is told again only while it lasts
LEAST_WORDS_PER_SECOND = 0.5  # fewer were recognised: a laugh, a cheer, a song, a cry


@dataclass(frozen=True, slots=True)
class Stretch:
    """One utterance as remembered for the window: when it ended, seconds of speech, and how it compared."""

    at: float
    seconds: float
    excess: Excess


@dataclass(frozen=True, slots=True)
class VoiceWatch:
    """Hears each utterance and says when a voice has been up, or fast, for seconds on end.

    `told`: when each cue was last given. `sensitivity`: less, normal or more.
    """

    baseline: Baseline = Baseline()
    stretches: tuple[Stretch, ...] = ()
    told: Mapping[str, float] = field(default_factory=dict)
    sensitivity: str = "normal"

    def heard(
        self, prosody: Prosody, at: float, who: int | None = None, words: int | None = None
    ) -> tuple[VoiceWatch, tuple[Cue, ...]]:
        """One utterance that ended at `at` (audio seconds). `words`: how many were recognised, None when not known."""
        wordless = words is not None and words < LEAST_WORDS_PER_SECOND * prosody.active_seconds
        if wordless or not is_speech(prosody):
            return self, ()
        new = Stretch(at, prosody.active_seconds, self.baseline.excess(prosody, who))
        recent = tuple(one for one in self.stretches if at - one.at <= SUSTAINED_WINDOW and one.at <= at)
        watch = replace(self, baseline=self.baseline.update(prosody, who), stretches=(*recent, new))
        return watch.telling(at)

    def telling(self, at: float) -> tuple[VoiceWatch, tuple[Cue, ...]]:
        """The cues that are due at `at`, given what was heard last; each is told once in CUE_EVERY seconds."""
        if not self.stretches or not self.stretches[-1].excess.known:
            return self, ()
        cues = tuple(cue for cue in (self._raised(), self._fast()) if cue is not None and self._due(cue, at))
        return replace(self, told={**self.told, **{cue.kind: at for cue in cues}}), cues

    def _due(self, cue: Cue, at: float) -> bool:
        before = self.told.get(cue.kind)
        return before is None or not 0.0 <= at - before < CUE_EVERY

    def _raised(self) -> Cue | None:
        bar = RAISED_ABOVE[self.sensitivity]
        up = [one for one in self.stretches if one.excess.score >= bar and one.excess.agreed]
        if self.stretches[-1] not in up or not self._sustained(up):
            return None
        over = fmean(one.excess.score for one in up) - bar
        seconds = sum(one.seconds for one in up)
        confidence = 0.5 + 0.2 * over + 0.01 * (seconds - SUSTAINED_SECONDS)
        ceiling = 0.8 if self.stretches[-1].excess.level_free else 0.9
        return Cue("voice.raised", min(confidence, ceiling), "voice")

    def _fast(self) -> Cue | None:
        """Faster than usual; 0.6 at most, because a happy story is fast too."""
        up = [one for one in self.stretches if one.excess.rate >= FAST_ABOVE]
        if self.stretches[-1] not in up or not self._sustained(up):
            return None
        return Cue("voice.fast", min(0.4 + 0.1 * (fmean(one.excess.rate for one in up) - FAST_ABOVE), 0.6), "voice")

    def _sustained(self, up: list[Stretch]) -> bool:
        above, total = sum(one.seconds for one in up), sum(one.seconds for one in self.stretches)
        return above >= SUSTAINED_SECONDS and above >= SUSTAINED_SHARE * total


def _row(prosody: Prosody) -> Row | None:
    if prosody.pitch_st is None or prosody.pitch_high_st is None or not is_speech(prosody):
        return None
    return (prosody.level_db, prosody.pitch_st, prosody.pitch_high_st, prosody.tilt_db, prosody.syllables_per_second)


def _deviation(values: list[float]) -> float:
    """A robust standard deviation: 1.4826 times the median distance from the median."""
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)

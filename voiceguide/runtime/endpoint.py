"""When an utterance begins and when it is over: decided by sound and what is expected, on audio time, and nothing else.

Pure: probabilities of speech go in, marks come out. Nobody is cut off for pausing to think: a brief silence never splits.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voiceguide.core.effects import Patience

if TYPE_CHECKING:
    from collections.abc import Iterable

# Begin: three of four frames above 0.5 (voice-stack, section 5). While the guide itself sounds, 200 ms above 0.6: what an
# echo canceller leaves over never reached that (section 4.2: no false barge-in in 42 s).
_OPENING = (3, 4, 0.5)
_OPENING_OVER_PLAYBACK = (6, 7, 0.6)
_STILL_SPEECH = 0.35  # hysteresis: soft word ends and nasals fall below the opening threshold
PRE_ROLL = 0.4  # seconds before the beginning that belong to it, or the first consonant is lost

LONGEST = 20.0  # seconds: what a recogniser is given in one piece (voice-stack, section 2.4)
_CUT_FROM = 12.0  # seconds: from here on a longer story is cut at the next breath
_BREATH = 0.3  # seconds of silence that lie between words, not inside one
_PRESSED_FROM, _GASP = 16.0, 0.1  # who still has not paused is cut at the briefest gap rather than inside a word at 20 s


@dataclass(frozen=True, slots=True)
class Silences:
    """Seconds of silence after which an utterance is over: `complete` when its words are a whole expected answer."""

    complete: float
    otherwise: float


# Design, section 4: 150 to 300 ms after a complete expected answer (nearly the upper end: "twenty ... no, thirty"), 2 s in a
# turn. Voice-stack, section 5: 1.4 s where somebody looks for words. A rail said in a turn needs no two seconds.
SILENCES = {
    Patience.CLOSED: Silences(complete=0.28, otherwise=0.7),
    Patience.OPEN: Silences(complete=0.6, otherwise=1.4),
    Patience.TURN: Silences(complete=0.7, otherwise=2.0),
}


class Mark(enum.Enum):
    """What one frame brought about."""

    BEGAN = "began"
    CUT = "cut"  # hand over what was said so far; the utterance goes on
    ENDED = "ended"


class Endpointer:
    """Feed one probability a frame. `now` is the audio time in seconds at the end of the last frame."""

    def __init__(self, frame_seconds: float) -> None:
        """`frame_seconds`: what one probability stands for (32 ms with Silero)."""
        self._frame = frame_seconds
        self._count = 0
        self._recent: deque[float] = deque(maxlen=_OPENING_OVER_PLAYBACK[1])
        self._silences, self._factor = SILENCES[Patience.CLOSED], 1.0
        self._cuttable = False
        self.speaking = False
        self.complete = False  # set by who knows the words; falls back to False when speech goes on
        self.began = self.last_sound = self._piece_began = 0.0

    @property
    def now(self) -> float:
        """Seconds of audio seen."""
        return self._count * self._frame

    @property
    def silence(self) -> float:
        """Seconds since the last speech of the utterance under way; 0 when nobody speaks."""
        return self.now - self.last_sound if self.speaking else 0.0

    @property
    def limit(self) -> float:
        """Seconds of silence that end the utterance as things stand."""
        return self._factor * (self._silences.complete if self.complete else self._silences.otherwise)

    def expect(self, patience: Patience, *, patient: bool = False) -> None:
        """From the next utterance on. `patient`: every end silence is doubled (people who need longer)."""
        if not self.speaking:
            self._silences, self._factor = SILENCES[patience], 2.0 if patient else 1.0
            # A closed answer is short by nature: what lasts 20 s is a television, and is ended.
            self._cuttable = patience is not Patience.CLOSED

    def feed(self, probability: float, *, over_playback: bool = False) -> Mark | None:
        """One frame. `over_playback`: the guide's own voice sounds in the room, so more is asked of a beginning."""
        self._count += 1
        self._recent.append(probability)
        if not self.speaking:
            return self._maybe_begin(_OPENING_OVER_PLAYBACK if over_playback else _OPENING)
        if probability > _STILL_SPEECH:
            self.last_sound, self.complete = self.now, False
        return self._maybe_end()

    def _maybe_begin(self, opening: tuple[int, int, float]) -> Mark | None:
        needed, window, threshold = opening
        voiced = [frame > threshold for frame in list(self._recent)[-window:]]
        if sum(voiced) < needed:
            return None
        self.speaking, self.complete = True, False
        self.began = self._piece_began = self.now - (len(voiced) - voiced.index(True)) * self._frame
        self.last_sound = self.now - (_trailing(voiced) * self._frame)
        self._recent.clear()
        return Mark.BEGAN

    def _maybe_end(self) -> Mark | None:
        # Half a frame of tolerance: sums of 32 ms must not make a limit one frame late.
        if self.silence + self._frame / 2 >= self.limit:
            return self._end()
        lasted = self.now - self._piece_began
        if lasted >= LONGEST and not self._cuttable:
            return self._end()
        gap = _BREATH if lasted < _PRESSED_FROM else _GASP
        if lasted >= LONGEST or (lasted >= _CUT_FROM and self.silence >= gap and self._cuttable):
            self._piece_began = self.now
            return Mark.CUT
        return None

    def _end(self) -> Mark:
        self.speaking = self.complete = False
        self._recent.clear()
        return Mark.ENDED


def _trailing(voiced: Iterable[bool]) -> int:
    count = 0
    for frame in voiced:
        count = 0 if frame else count + 1
    return count

"""Signs in how turns are taken: one's own words again, answers of one word, silence after a question, interruptions.

What was said is remembered as numbers that mean nothing outside this process (salted hashes of word strings), for a minute.
Each of these is common in harmless talk (in meetings a quarter of all speech overlaps), so the confidences are low and
single ones say nothing; `core/fusion.py` asks for words beside them. Pure: `at` is audio time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from voiceguide.core.events import Cue

FAMILY = "turns"
GRAM = 4  # words; domain 1.2: the same four-word string twice
REPEAT_SHARE = 0.5  # of a turn's strings, said before in one's own last turns: the point is being repeated
REPEAT_GRAMS = 3  # at least: a turn of six words
TURNS_KEPT = 3  # domain 1.2: one's own last three turns
CLIPPED_TURNS = 3  # domain 1.2: three or more turns of one word
UNANSWERED = 2  # domain 8: no answer after a direct question, twice
INTERRUPTIONS = 3  # harmless ones came eight a minute in a meeting (measured); only a burst is a sign
INTERRUPTION_WINDOW = 30.0
WINDOW = 120.0  # seconds: older turns are forgotten

Grams = frozenset[int]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of free talk: who (None: not known), when it ended, how long, and its word strings as numbers."""

    at: float
    who: int | None
    words: int
    grams: Grams = field(repr=False, default=frozenset())


@dataclass(frozen=True, slots=True)
class Turns:
    """The last turns. Feed it free talk only: a "yes" to the guide's own question is no clipped turn."""

    recent: tuple[Turn, ...] = ()
    unanswered_in_a_row: int = 0
    interruptions: tuple[float, ...] = ()

    def heard(self, text: str, at: float, who: int | None = None) -> tuple[Turns, tuple[Cue, ...]]:
        """One turn (recogniser text) that ended at `at`. Wordless ones change nothing."""
        words = text.split()
        if not words:
            return self, ()
        strings = [hash(tuple(words[start : start + GRAM])) for start in range(len(words) - GRAM + 1)]
        turn = Turn(at, who, len(words), frozenset(strings))
        before = tuple(one for one in self.recent if 0.0 <= at - one.at <= WINDOW)
        cues = (*_repeats(strings, turn, before), *_clipped(turn, before))
        return replace(self, recent=(*before, turn)[-4 * TURNS_KEPT :], unanswered_in_a_row=0), cues

    def unanswered(self) -> tuple[Turns, tuple[Cue, ...]]:
        """Nobody said a word for over ten seconds after a direct question."""
        count = self.unanswered_in_a_row + 1
        cues = (Cue("turns.silence", 0.5, FAMILY),) if count == UNANSWERED else ()
        return replace(self, unanswered_in_a_row=count), cues

    def interrupted(self, at: float) -> tuple[Turns, tuple[Cue, ...]]:
        """One began inside the other's words; only where the ears can tell (two microphones, or a kept floor)."""
        times = (*(time for time in self.interruptions if 0.0 <= at - time <= INTERRUPTION_WINDOW), at)
        if len(times) < INTERRUPTIONS:
            return replace(self, interruptions=times), ()
        return replace(self, interruptions=()), (Cue("turns.interrupting", 0.5, FAMILY),)


def _repeats(strings: list[int], turn: Turn, before: tuple[Turn, ...]) -> tuple[Cue, ...]:
    """The same four words twice within the turn, or a turn made mostly of one's own last ones."""
    twice = len(strings) - len(turn.grams)
    own = [one for one in before if one.who == turn.who][-TURNS_KEPT:]
    said = frozenset().union(*(one.grams for one in own)) if own else frozenset()
    again = len(turn.grams & said)
    mostly = len(turn.grams) >= REPEAT_GRAMS and again >= REPEAT_SHARE * len(turn.grams)
    if not mostly and twice == 0:
        return ()
    return (Cue("turns.repeat", 0.6 if mostly else 0.4, FAMILY),)


def _clipped(turn: Turn, before: tuple[Turn, ...]) -> tuple[Cue, ...]:
    """Three one-word turns of the same voice in a row; said once, at the third."""
    if turn.words > 1:
        return ()
    own = [one.words for one in before if one.who == turn.who]
    run = 1
    while run <= len(own) and own[-run] == 1:
        run += 1
    return (Cue("turns.clipped", 0.4, FAMILY),) if run == CLIPPED_TURNS else ()

"""How it was said, beside what was said: the voice against its own usual, and the shape of the turns.

One place for both, so that rehearsals (no voice) and rooms (voice) collect the same cues. Keeps numbers and hashes, no words.
"""

from __future__ import annotations

from voiceguide.core.events import Cue
from voiceguide.runtime.baseline import VoiceWatch
from voiceguide.runtime.ports import Prosody
from voiceguide.runtime.turns import Turns


class Signs:
    """Collects cues utterance by utterance. `sensitivity`: less, normal or more."""

    def __init__(self, sensitivity: str = "normal") -> None:
        self._watch = VoiceWatch(sensitivity=sensitivity)
        self._turns = Turns()

    def of(self, text: str, prosody: Prosody | None, at: float, *, free: bool) -> tuple[Cue, ...]:
        """The cues of one utterance that ended at `at` (seconds). `free`: it was talk, not an answer to the guide."""
        cues: tuple[Cue, ...] = ()
        if prosody is not None:
            self._watch, cues = self._watch.heard(prosody, at, words=len(text.split()))
        if free:
            self._turns, more = self._turns.heard(text, at)
            cues += more
        return cues

    def unanswered(self) -> tuple[Cue, ...]:
        """A direct question got no word for its whole wait."""
        self._turns, cues = self._turns.unanswered()
        return cues

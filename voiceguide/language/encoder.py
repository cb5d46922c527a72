"""What the heads ask of a sentence encoder: a sentence becomes a few rows of numbers. The engine itself is an adapter."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WIDTH = 768
# After how many blocks of the encoder its numbers are taken. 0 is the bare words (meaning without order); later ones know
# more of grammar (who does what, "not", "if"). Nothing after the eighth of twelve added anything (five-fold, train and dev).
TAPS = (0, 4, 8)


class Encoder(Protocol):
    """Sentences to numbers; the same for the same text, and safe to share between threads."""

    def layers(self, text: str) -> Floats:
        """The mean over tokens after each of TAPS, each scaled to length 1: shape (len(TAPS), WIDTH); zeros for no words.

        Never raises for any text."""

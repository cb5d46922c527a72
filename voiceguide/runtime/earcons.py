"""Seven short sounds that differ in every way an ear can tell: number of notes, direction, length, colour, register.

Calm ones: nothing starts hard, nothing above 2 kHz (older ears lose it, and small loudspeakers shriek there), none longer
than half a second, all softer than speech. Rising means "your turn" or "we go on", falling means "we rest", even means
"I am here"; only trouble is rough, and even that is low. Made from numbers, so they are the same at every rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voiceguide.runtime.ports import Clip

RATE = 24_000  # hertz
LEVEL_DB = -25.0  # peak-to-peak softer than speech at STEADY_DB: a sign, not an alarm
_TOP = 1_900.0  # hertz: partials above are left out

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Note:
    """`begin`, `seconds` within the earcon; `low` to `high`: the glide in hertz; `partials`: strengths of 1x, 2x, 3x …;
    `attack` seconds to full strength; `decay` seconds to a third (0: held until its end); `noise`: breath, no tone.
    """

    begin: float
    seconds: float
    low: float
    high: float
    partials: tuple[float, ...] = (1.0,)
    attack: float = 0.012
    decay: float = 0.0
    noise: bool = False


_BELL = (1.0, 0.35, 0.12)
_REED = (1.0, 0.0, 0.6, 0.0, 0.45, 0.0, 0.3)

EARCONS: dict[str, tuple[Note, ...]] = {
    # One glide upwards, like a questioning "mm?": it is your turn.
    "listening": (Note(0.0, 0.22, 330.0, 620.0, attack=0.04),),
    # A knuckle on wood: heard you. The shortest, so that it never runs into an answer.
    "heard": (Note(0.0, 0.085, 520.0, 480.0, (1.0, 0.2), attack=0.004, decay=0.02),),
    # Two bells, falling a fourth, ringing out: we rest.
    "pause": (
        Note(0.0, 0.50, 523.3, 523.3, _BELL, decay=0.16),
        Note(0.20, 0.30, 392.0, 392.0, _BELL, decay=0.14),
    ),
    # Three bells upwards: come back.
    "return": (
        Note(0.0, 0.20, 392.0, 392.0, _BELL, decay=0.12),
        Note(0.14, 0.22, 523.3, 523.3, _BELL, decay=0.12),
        Note(0.28, 0.22, 784.0, 784.0, _BELL, decay=0.14),
    ),
    # A breath: no tone at all.
    "beat": (Note(0.0, 0.50, 250.0, 700.0, attack=0.22, noise=True),),
    # One deep tone sinking: over.
    "stop": (Note(0.0, 0.38, 262.0, 131.0, (1.0, 0.5), attack=0.02, decay=0.25),),
    # Two rough, even, low pulses: something of mine does not work.
    "trouble": (Note(0.0, 0.10, 175.0, 175.0, _REED), Note(0.17, 0.10, 175.0, 175.0, _REED)),
}


def earcon(name: str, volume: float = 1.0) -> Clip:
    """The sound with this id, mono at RATE. Raises KeyError for an id that does not exist."""
    notes = EARCONS[name]
    whole = np.zeros(round(max(note.begin + note.seconds for note in notes) * RATE))
    for note in notes:
        sound = _sound(note)
        at = round(note.begin * RATE)
        whole[at : at + len(sound)] += sound[: len(whole) - at]
    loudest = np.sqrt(np.mean(np.square(whole[np.abs(whole) > 0.1 * np.abs(whole).max()])))
    whole *= 10 ** (LEVEL_DB / 20) / loudest * max(0.0, min(1.0, volume))
    return Clip(np.round(np.clip(whole, -1, 1) * 32767).astype(np.int16), RATE)


def _sound(note: Note) -> _Floats:
    when = np.arange(round(note.seconds * RATE)) / RATE
    if note.noise:
        return _breath(len(when), note.low, note.high) * _envelope(note, when)
    hertz = note.low + (note.high - note.low) * when / note.seconds
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    tone = np.zeros(len(when))
    for number, strength in enumerate(note.partials, start=1):
        if number * max(note.low, note.high) < _TOP:
            tone += strength * np.sin(number * phase)
    return tone * _envelope(note, when)


def _envelope(note: Note, when: _Floats) -> _Floats:
    rise = np.minimum(1.0, when / note.attack)
    fall = np.minimum(1.0, (note.seconds - when) / min(0.04 if note.decay else note.attack, note.seconds / 2))
    ring = np.exp(-when / note.decay) if note.decay else 1.0
    return np.asarray(np.sin(rise * np.pi / 2) ** 2 * np.sin(np.clip(fall, 0, 1) * np.pi / 2) ** 2 * ring)


def _breath(count: int, low: float, high: float) -> _Floats:
    """Noise between `low` and `high`, the same every time (its spectrum is laid out, not drawn)."""
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    bell = np.exp(-(((hertz - (low + high) / 2) / ((high - low) / 2)) ** 2))
    turns = np.random.default_rng(20).uniform(0, 2 * np.pi, len(hertz))
    return np.fft.irfft(bell * np.exp(1j * turns), count)

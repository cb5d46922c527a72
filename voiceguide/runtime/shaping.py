"""How rendered speech is made even: sentences apart, silence trimmed, one steady level, never clipped. Pure; numpy only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voiceguide.runtime.ports import Clip, Samples

STEADY_DB = -20.0  # active RMS re full scale at volume 1: speech peaks 12 to 18 dB higher
SENTENCE_PAUSE = 0.30  # seconds between sentences: two upset people need the gap to follow
_ACTIVE_BELOW_TOP = 30.0  # decibels: frames weaker than the strongest by more are pauses
_KNEE = 0.70  # of full scale: peaks above are bent, not cut
_QUIET = 0.003  # of the clip's own peak: below it is silence (-50 dB)
_LEAD, _TAIL = 0.010, 0.040  # seconds kept around the sound, so that soft consonants stay

_END_OF_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+")
_Floats = npt.NDArray[np.float64]


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a prompt, each with its own end mark; a lower-case continuation ("8 p.m. or so") does not begin one."""
    found: list[str] = []
    begin = 0
    for gap in _END_OF_SENTENCE.finditer(text):
        if text[gap.end() : gap.end() + 1].islower():
            continue
        found.append(text[begin : gap.end()].strip())
        begin = gap.end()
    found.append(text[begin:].strip())
    return tuple(sentence for sentence in found if sentence)


def active_db(samples: Samples, rate: int) -> float:
    """Level in decibels re full scale of the 20 ms frames that hold speech; -120 for silence."""
    frame = max(1, rate // 50)
    whole = len(samples) // frame * frame
    sound = samples[:whole].astype(np.float64).reshape(-1, frame) if whole else samples.astype(np.float64).reshape(1, -1)
    power = np.mean(np.square(sound), axis=1) if sound.size else np.zeros(1)
    active = power[power >= power.max() * 10 ** (-_ACTIVE_BELOW_TOP / 10)]
    return float(10 * np.log10(max(float(active.mean()) / 32768.0**2, 1e-12)))


def even(clip: Clip, volume: float = 1.0) -> Clip:
    """The clip without silence around it, at STEADY_DB plus `volume` (0 to 1, a factor), peaks bent below full scale."""
    samples = _trimmed(clip.samples, clip.rate)
    if not samples.any() or volume <= 0:
        return Clip(np.zeros(len(samples), np.int16), clip.rate)
    gain = 10 ** ((STEADY_DB - active_db(samples, clip.rate)) / 20) * min(volume, 1.0)
    sound = samples.astype(np.float64) / 32768 * gain
    return Clip(np.round(_bent(sound) * 32767).astype(np.int16), clip.rate)


def joined(clips: Sequence[Clip], pause_seconds: float = SENTENCE_PAUSE) -> Clip:
    """Clips of one rate in a row, a pause between each two."""
    if not clips:
        return Clip(np.zeros(0, np.int16), 16_000)
    rate = clips[0].rate
    gap = np.zeros(round(pause_seconds * rate), np.int16)
    parts = [part for clip in clips for part in (gap, clip.samples)][1:]
    return Clip(np.concatenate(parts), rate)


def _trimmed(samples: Samples, rate: int) -> Samples:
    loud = np.abs(samples.astype(np.int32))
    heard = np.flatnonzero(loud > max(1.0, loud.max(initial=0) * _QUIET))
    if not len(heard):
        return samples[:0]
    return samples[max(0, int(heard[0]) - round(_LEAD * rate)) : int(heard[-1]) + 1 + round(_TAIL * rate)]


def _bent(sound: _Floats) -> _Floats:
    over = np.maximum(np.abs(sound) - _KNEE, 0.0)
    room = 1.0 - _KNEE
    bent = np.sign(sound) * (_KNEE + room * np.tanh(over / room))
    return np.where(over > 0, bent, sound)

"""Sound to be misheard: the voices that this machine has, a kitchen's noise, a room's echo, and silence around short clips.

Everything is a function of what it is given; where something must be picked, a hash of the sentence picks it, so that two
runs on one machine hear the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voiceguide.errors import VoiceguideError
from voiceguide.runtime.ports import EAR_RATE, Clip, Manner, Samples
from voiceguide.runtime.shaping import active_db, even

LEAD, TAIL, LEAST = 0.3, 0.5, 1.5  # seconds: the ear's own pre-roll and end silence; a clip under a second is heard badly
ECHO_TAIL = 0.3  # seconds that a room may sound on
RENDER_SECONDS = 10.0
# Voice, words a minute (the engine's number) and pitch of espeak: two women, two men and an old man of two countries, quick
# and slow. What has no espeak speaks in its own default voice.
ESPEAK = (("en-us+f3", 150, 42), ("en-gb+m3", 165, 45), ("en-us+f2", 185, 55), ("en-gb+m7", 140, 35), ("en-us+Denis", 170, 50))
ELSE = (("", 150, None), ("", 185, None))
TRIES = 3
PIPER_PACES = (130, 155, 185)  # words a minute


@dataclass(frozen=True, slots=True)
class Speaker:
    """One engine with the ways in which it speaks: mono int16 at EAR_RATE, one steady level, nothing where it failed."""

    engine: str
    ways: Sequence[Callable[[str], Samples]]


def number_of(text: str, salt: str = "") -> int:
    """The same large number for the same text, on every machine."""
    return int.from_bytes(hashlib.sha256(f"{salt}\n{text}".encode()).digest()[:8], "big")


def speakers(stack: ExitStack) -> list[Speaker]:
    """Every engine that is there, opened; `stack` closes them. Empty where nothing can speak."""
    return [*_tool(), *_piper(stack)]


def _tool() -> list[Speaker]:
    from voiceguide.adapters.platform_voice import platform_voice

    tool = platform_voice()
    if tool is None:
        return []
    name = Path(tool.program).name
    known = ESPEAK if "espeak" in name else ELSE

    def way(voice: str, rate: int, pitch: int | None) -> Callable[[str], Samples]:
        return lambda text: _steady(tool.render(text, voice, rate, pitch, RENDER_SECONDS))

    return [Speaker(f"{name} ({len(known)} voices)", [way(*one) for one in known])]


def _piper(stack: ExitStack) -> list[Speaker]:
    """The natural voice, where its package and its model are there."""
    if importlib.util.find_spec("piper") is None:
        return []
    from voiceguide.adapters.piper_voice import PiperVoice

    voice = PiperVoice()
    try:
        stack.enter_context(voice)
    except VoiceguideError:
        return []

    def way(pace: int) -> Callable[[str], Samples]:
        def say(text: str) -> Samples:
            for _ in range(TRIES):
                clip = voice.render(text, Manner(words_per_minute=pace))
                if clip.lasting:  # else it was late, and another voice spoke in its place
                    return _steady(clip)
            return np.zeros(0, np.int16)

        return say

    return [Speaker(f"{voice.name} ({len(PIPER_PACES)} paces)", [way(pace) for pace in PIPER_PACES])]


def _steady(clip: Clip) -> Samples:
    from voiceguide.adapters.resample import resample

    return resample(even(clip).samples, clip.rate, EAR_RATE)


def padded(samples: Samples) -> Samples:
    """With the silence that an ear hears around an utterance."""
    tail = max(TAIL, LEAST - LEAD - len(samples) / EAR_RATE)
    return np.pad(samples, (round(LEAD * EAR_RATE), round(tail * EAR_RATE)))


def noisy(samples: Samples, noise: Samples, decibels: float, begin: int = 0) -> Samples:
    """With `noise` (from its sample `begin` on, over and over) so many decibels below the speech, active frame against active."""
    if not len(samples) or not noise.any():
        return samples
    gain = 10 ** ((active_db(samples, EAR_RATE) - active_db(noise, EAR_RATE) - decibels) / 20)
    around = np.resize(np.roll(noise, -begin), len(samples)).astype(np.float64)
    return _whole(samples.astype(np.float64) + gain * around)


def echoing(samples: Samples, response: Samples) -> Samples:
    """In a room of that impulse response, at the same active level, from the direct sound on."""
    if not len(samples) or not response.any():
        return samples
    size = len(samples) + round(ECHO_TAIL * EAR_RATE)
    room = response[int(np.argmax(np.abs(response.astype(np.int32)))) :].astype(np.float64)
    length = 1 << (size + len(room)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples.astype(np.float64), length) * np.fft.rfft(room, length), length)[:size]
    wet *= 10_000.0 / max(float(np.abs(wet).max()), 1e-9)
    gain = 10 ** ((active_db(samples, EAR_RATE) - active_db(wet.astype(np.int16), EAR_RATE)) / 20)
    return _whole(wet * gain)


def _whole(sound: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Samples:
    """As int16; what would be cut at full scale is turned down instead."""
    peak = float(np.abs(sound).max(initial=0.0))
    return np.asarray(np.rint(sound * min(1.0, 32_767.0 / max(peak, 1.0))), dtype=np.int16)

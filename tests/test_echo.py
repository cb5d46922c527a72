"""The echo canceller takes out our own voice, and never the partner's: with an echo in the room, and without one."""

from __future__ import annotations

import numpy as np
import pytest

from voiceguide.adapters.echo import EchoCanceller
from voiceguide.runtime.ports import EAR_RATE, FRAME, Samples


def speechlike(seconds: float, seed: int, level: float) -> Samples:
    """Noise with the rhythm and slope of speech."""
    chance = np.random.default_rng(seed)
    count = round(seconds * EAR_RATE)
    noise = np.convolve(chance.normal(size=count), np.ones(8) / 8, "same")
    rhythm = np.clip(np.convolve(chance.normal(size=count // 800 + 2).repeat(800)[:count], np.ones(1600) / 1600, "same"), 0.05, 1)
    shaped: Samples = (noise * rhythm / np.std(noise * rhythm) * level).astype(np.int16)
    return shaped


def heard(microphone: Samples, playing: Samples) -> Samples:
    canceller = EchoCanceller()
    steps = range(0, len(playing) - FRAME + 1, FRAME)
    return np.concatenate([canceller.process(microphone[at : at + FRAME], playing[at : at + FRAME]) for at in steps])


def room(playing: Samples, loudness: float) -> Samples:
    echo = np.zeros(len(playing))
    echo[1280:] = playing[:-1280] * loudness
    return (echo + np.random.default_rng(3).normal(0, 20, len(playing))).astype(np.int16)


@pytest.mark.parametrize("loudness", [0.0, 0.3])
def test_a_partner_is_heard_while_we_speak_with_and_without_an_echo(loudness: float) -> None:
    playing = speechlike(6.0, 1, 2000.0)
    microphone = room(playing, loudness)
    wish = speechlike(1.0, 2, 2000.0)
    at = 4 * EAR_RATE
    microphone[at : at + len(wish)] += wish
    out = heard(microphone, playing)[at : at + len(wish)].astype(float)
    assert np.std(out) > 0.5 * np.std(wish.astype(float))


@pytest.mark.parametrize("loudness", [0.0, 0.3, 0.7])
def test_our_own_voice_is_gone_after_two_seconds(loudness: float) -> None:
    playing = speechlike(6.0, 1, 2000.0)
    out = heard(room(playing, loudness), playing)[2 * EAR_RATE :].astype(float)
    assert np.std(out) < 0.06 * np.std(playing.astype(float))

"""Laws of measuring: every sound gives a measurement, loudness moves only the level, pitch only the pitch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceguide.runtime.ports import EAR_RATE, Samples
from voiceguide.runtime.prosody import HOP, PitchTrack, PitchTracker, is_speech, measure

Floats = npt.NDArray[np.float64]


def buzz(seconds: float = 3.0, hertz: float = 120.0, syllables: float = 4.0, gain: float = 0.1) -> Samples:
    """A voice-like buzz: harmonics that fall by 6 dB an octave, opened and closed like a mouth."""
    at = np.arange(int(seconds * EAR_RATE)) / EAR_RATE
    glide = hertz * (1.0 + 0.1 * np.sin(2 * np.pi * 0.7 * at))
    phase = 2 * np.pi * np.cumsum(glide) / EAR_RATE
    voice = np.asarray(sum(np.sin(k * phase) / k for k in range(1, 25)))
    mouth = np.clip(np.sin(2 * np.pi * syllables * at), 0.02, 1.0)
    return np.asarray(np.clip(voice * mouth * gain, -1, 1) * 32767, dtype=np.int16)


def told(hertz: float, spread: float = 0.1, confidence: float = 0.9) -> PitchTracker:
    """A fake tracker that reports what the buzz was made with, and one frame of four as unvoiced."""

    def track(samples: Samples) -> PitchTrack:
        at = np.arange(len(samples) // HOP) * HOP / EAR_RATE
        return PitchTrack(
            hertz * (1.0 + spread * np.sin(2 * np.pi * 0.7 * at)), np.where(np.arange(len(at)) % 4 < 3, confidence, 0.0)
        )

    return track


def test_louder_moves_the_level_and_nothing_else() -> None:
    soft, loud = (measure(buzz(gain=gain), told(120.0)) for gain in (0.05, 0.2))
    assert loud.level_db - soft.level_db == pytest.approx(12.0, abs=0.3)
    assert loud.tilt_db == pytest.approx(soft.tilt_db, abs=0.3)
    assert loud.pitch_st == soft.pitch_st


def test_an_octave_is_twelve_semitones() -> None:
    low, high = (measure(buzz(hertz=f), told(f)) for f in (110.0, 220.0))
    assert low.pitch_st is not None
    assert high.pitch_st is not None
    assert high.pitch_st - low.pitch_st == pytest.approx(12.0, abs=0.2)


@pytest.mark.parametrize("rate", [2.0, 4.0, 6.0])
def test_syllables_are_counted_where_the_mouth_opens(rate: float) -> None:
    found = measure(buzz(4.0, syllables=rate), told(120.0))
    assert found.syllables_per_second * found.active_seconds == pytest.approx(rate * 4.0, abs=2.0)


def test_a_sharper_voice_has_less_tilt() -> None:
    dull, sharp = buzz(), np.asarray(np.diff(buzz(), prepend=0), dtype=np.int16)
    track = told(120.0)
    assert measure(sharp, track).tilt_db > measure(dull, track).tilt_db + 5.0


def test_silence_and_snippets_are_measured_too() -> None:
    for samples in (np.zeros(0, np.int16), np.zeros(100, np.int16), np.zeros(EAR_RATE, np.int16)):
        found = measure(samples, told(120.0))
        assert found.pitch_st is None
        assert found.active_seconds == 0.0
        assert not is_speech(found)


def test_a_tone_is_not_speech_and_a_voice_is() -> None:
    tone = np.asarray(3000 * np.sin(2 * np.pi * 440 * np.arange(2 * EAR_RATE) / EAR_RATE), dtype=np.int16)
    assert not is_speech(measure(tone, told(440.0, spread=0.0)))
    assert is_speech(measure(buzz(), told(120.0)))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=8000), st.floats(0, 1))
def test_no_sound_is_too_strange_to_measure(data: bytes, confidence: float) -> None:
    samples = np.frombuffer(data[: len(data) // 2 * 2], dtype=np.int16)
    found = measure(samples, told(200.0, confidence=confidence))
    numbers = (found.level_db, found.tilt_db, found.active_seconds, found.voiced_share, found.syllables_per_second)
    assert all(np.isfinite(number) for number in numbers)
    assert 0.0 <= found.voiced_share <= 1.0

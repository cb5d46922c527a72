"""The live path without a sound card: heard as it was spoken, silent at once, back after the sound server died."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.sound.virtual import VirtualSound, available
from voiceguide.adapters.microphone import SoundMicrophone
from voiceguide.adapters.playback import SoundPlayback
from voiceguide.adapters.sound_devices import devices
from voiceguide.runtime.ports import EAR_RATE, FRAME, Clip, Samples

pytestmark = [pytest.mark.sound, pytest.mark.skipif(not available(), reason="no PulseAudio on this machine")]

PATIENCE = 20.0  # seconds a test waits for the sound system before it fails


def chirp(seconds: float, rate: int = EAR_RATE) -> Samples:
    """Loud, and like nothing else but itself: a glide whose loudness beats."""
    when = np.arange(round(seconds * rate)) / rate
    glide = np.sin(2 * np.pi * (300 + 200 * np.sin(2 * np.pi * 1.3 * when)) * when)
    return (8000 * glide * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * when))).astype(np.int16)


def likeness(heard: Samples, spoken: Samples) -> float:
    """Correlation at the best alignment, 1.0 for the same sound."""
    spoken_whole, heard_whole = spoken.astype(np.float64), heard.astype(np.float64)
    if len(heard_whole) < len(spoken_whole):
        return 0.0
    size = 1 << (len(heard_whole) + len(spoken_whole)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard_whole, size) * np.conj(np.fft.rfft(spoken_whole, size)), size)
    at = int(product[: len(heard_whole) - len(spoken_whole) + 1].argmax())
    return float(np.corrcoef(heard_whole[at : at + len(spoken_whole)], spoken_whole)[0, 1])


class Listener:
    """Everything a microphone says."""

    def __init__(self) -> None:
        self._frames: list[Samples] = []
        self.troubles: queue.Queue[str] = queue.Queue()
        self._lock = threading.Lock()
        self.flowing = threading.Event()

    def frame(self, frame: Samples) -> None:
        assert len(frame) == FRAME
        with self._lock:
            self._frames.append(frame)
        self.flowing.set()

    def since(self, count: int) -> Samples:
        with self._lock:
            return np.concatenate(self._frames[count:])

    @property
    def count(self) -> int:
        with self._lock:
            return len(self._frames)

    def wait_for_seconds(self, seconds: float) -> None:
        """Until so much more has been heard."""
        goal, until = self.count + seconds * EAR_RATE / FRAME, time.monotonic() + PATIENCE
        while self.count < goal:
            assert time.monotonic() < until, "the microphone delivers nothing"
            self.flowing.clear()
            self.flowing.wait(1.0)


@pytest.fixture
def card() -> Iterator[VirtualSound]:
    with VirtualSound() as virtual:
        yield virtual


def test_the_whole_live_path(card: VirtualSound) -> None:
    """One server start, four laws: each start costs three seconds."""
    assert any(device.is_default_input for device in devices())
    listener, troubles = Listener(), queue.Queue[str]()
    with SoundPlayback(on_trouble=troubles.put) as playback, SoundMicrophone() as microphone:
        microphone.open(listener.frame, listener.troubles.put)
        listener.wait_for_seconds(0.5)  # a null sink's first half second comes in lumps
        _hears_what_is_spoken(card, listener)
        _plays_what_it_is_given(card, playback)
        _falls_silent_at_once(card, playback)
        _comes_back(card, listener, troubles)
        _hears_what_is_spoken(card, listener)
        _plays_what_it_is_given(card, playback)


def _hears_what_is_spoken(card: VirtualSound, listener: Listener) -> None:
    before, spoken = listener.count, chirp(2.0)
    card.speak(spoken)
    listener.wait_for_seconds(0.3)
    assert likeness(listener.since(before), spoken) > 0.98
    assert listener.troubles.empty()


def _plays_what_it_is_given(card: VirtualSound, playback: SoundPlayback) -> None:
    ends: queue.Queue[tuple[float, bool]] = queue.Queue()
    with card.recording() as heard:
        ordered = time.monotonic()
        playback.play(Clip(chirp(1.5, 22_050), 22_050), lambda seconds, complete: ends.put((seconds, complete)))
        seconds, complete = ends.get(timeout=PATIENCE)
        ended = time.monotonic()
        assert complete
        assert abs(seconds - 1.5) < 0.01
        heard.wait_for_seconds(0.3)
    loud = heard.loud_times()
    print(f"order to first sound {1000 * (loud[0] - ordered):.0f} ms, last to its end told {1000 * (ended - loud[-1]):+.0f} ms")
    whole, part = chirp(1.5), EAR_RATE // 4  # by quarters of a second: a crowded machine may tear a gap between two
    assert float(np.median([likeness(heard.samples, whole[at : at + part]) for at in range(0, len(whole), part)])) > 0.9
    assert loud[0] - ordered < 0.4
    assert abs(ended - loud[-1]) < 0.25


def _falls_silent_at_once(card: VirtualSound, playback: SoundPlayback) -> None:
    ends: queue.Queue[tuple[float, bool]] = queue.Queue()
    with card.recording() as heard:
        delays = []
        for number in range(5):
            playback.play(Clip(chirp(4.0, 22_050), 22_050), lambda seconds, complete: ends.put((seconds, complete)))
            heard.wait_for_seconds(0.5 + 0.013 * number)
            stopped = time.monotonic()
            playback.hush()
            seconds, complete = ends.get(timeout=PATIENCE)
            assert not complete
            assert 0.2 < seconds < 2.0
            heard.wait_for_seconds(0.4)
            delays.append(heard.loud_times()[-1] - stopped)
    print("stop to silence:", [f"{1000 * delay:.0f} ms" for delay in delays])
    assert float(np.median(delays)) < 0.15


def _comes_back(card: VirtualSound, listener: Listener, troubles: queue.Queue[str]) -> None:
    card.crash()
    assert listener.troubles.get(timeout=PATIENCE) == "microphone_lost"
    assert troubles.get(timeout=PATIENCE) == "playback_lost"
    card.revive()
    assert listener.troubles.get(timeout=PATIENCE) == "microphone_back"
    assert troubles.get(timeout=PATIENCE) == "playback_back"
    listener.wait_for_seconds(0.5)


def test_a_microphone_that_gives_bit_exact_zeros_is_told_from_a_quiet_room() -> None:
    listener = Listener()
    with VirtualSound(room_tone=False), SoundMicrophone() as microphone:
        microphone.open(listener.frame, listener.troubles.put)
        assert listener.troubles.get(timeout=PATIENCE) == "microphone_silent"

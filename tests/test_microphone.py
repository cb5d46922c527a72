"""The microphone: whatever arrives, the ear gets 20 ms at 16 kHz; and what stops arriving is noticed."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_sound import FakeClocks, FakeHouse
from voiceguide.adapters.microphone import FrameCutter, SoundMicrophone
from voiceguide.adapters.sound_devices import Device, choose
from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import EAR_RATE, FRAME, Samples

PATIENCE = 5.0


def noise(seconds: float, rate: int = EAR_RATE) -> Samples:
    return np.random.default_rng(1).normal(0, 2000, round(seconds * rate)).astype(np.int16)


class Setup:
    def __init__(self, rate: int = EAR_RATE) -> None:
        self.sound, self.time = FakeHouse(rate), FakeClocks()
        self.frames: queue.Queue[Samples] = queue.Queue()
        self.troubles: queue.Queue[str] = queue.Queue()
        self.microphone = SoundMicrophone(house=self.sound.house, clocks=self.time.clocks)

    def open(self) -> None:
        self.microphone.open(self.frames.put, self.troubles.put)

    def trouble(self) -> str:
        return self.troubles.get(timeout=PATIENCE)


@pytest.fixture
def listening() -> Iterator[Setup]:
    setup = Setup()
    setup.open()
    yield setup
    setup.microphone.close()


@settings(deadline=None)
@given(st.sampled_from([8_000, 16_000, 44_100, 48_000]), st.lists(st.integers(1, 4000), min_size=1, max_size=20))
def test_blocks_of_any_size_and_rate_become_whole_frames_and_nothing_is_lost(rate: int, sizes: list[int]) -> None:
    cutter = FrameCutter(rate)
    frames = [frame for size in sizes for frame in cutter.feed(np.ones(size, np.int16))]
    assert all(len(frame) == FRAME for frame in frames)
    expected = sum(sizes) * EAR_RATE / rate
    assert expected - FRAME - 0.07 * EAR_RATE <= len(frames) * FRAME <= expected + 1


def test_a_tone_keeps_its_pitch_and_level_through_resampling() -> None:
    rate = 44_100
    tone = (10_000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
    cutter = FrameCutter(rate)
    heard = np.concatenate([f for at in range(0, rate, 441) for f in cutter.feed(tone[at : at + 441])]).astype(float)
    spectrum = np.abs(np.fft.rfft(heard[2000:14_000]))
    assert abs(int(spectrum.argmax()) * EAR_RATE / 12_000 - 440) < 2
    assert abs(heard[2000:14_000].std() - tone.std()) < 0.02 * tone.std()


def test_frames_arrive_as_they_were_spoken(listening: Setup) -> None:
    sound = noise(1.0)
    for at in range(0, len(sound), 160):
        listening.sound.last.push(sound[at : at + 160])
    got = np.concatenate([listening.frames.get(timeout=PATIENCE) for _ in range(50)])
    assert np.array_equal(got, sound)


def test_bit_exact_zeros_are_reported_once_and_sound_ends_the_trouble(listening: Setup) -> None:
    for _ in range(5):
        listening.sound.last.push(np.zeros(EAR_RATE, np.int16))
    assert listening.trouble() == "microphone_silent"
    listening.sound.last.push(noise(0.1))
    assert listening.trouble() == "microphone_back"
    assert listening.troubles.empty()


def test_a_quiet_room_is_no_trouble(listening: Setup) -> None:
    hiss = np.resize(np.array([0, 0, 0, 1, 0, -1], np.int16), EAR_RATE)
    for _ in range(5):
        listening.sound.last.push(hiss)
    for _ in range(5 * 50):
        listening.frames.get(timeout=PATIENCE)
    assert listening.troubles.empty()


@pytest.mark.parametrize("how", ["ended", "no blocks", "slept"])
def test_a_microphone_that_went_away_is_reported_and_comes_back(listening: Setup, how: str) -> None:
    listening.sound.last.push(noise(0.1))
    if how == "ended":
        listening.sound.last.running = False
    elif how == "no blocks":
        listening.time.pass_(1.1)
    else:
        listening.time.suspend(60.0)
    listening.sound.plugged = False
    listening.microphone.look()
    assert listening.trouble() == "microphone_lost"
    listening.microphone.look()
    listening.sound.plugged, listening.sound.rate = True, 48_000
    listening.time.pass_(0.6)
    listening.microphone.look()
    assert listening.trouble() == "microphone_back"
    listening.sound.last.push(noise(0.5, 48_000))
    for _ in range(5):
        listening.frames.get(timeout=PATIENCE)
    assert listening.troubles.empty()


def test_the_first_block_may_be_late(listening: Setup) -> None:
    listening.time.pass_(1.75)
    listening.microphone.look()
    assert listening.troubles.empty()


def test_no_microphone_is_a_device_error() -> None:
    setup = Setup()
    setup.sound.plugged = False
    with pytest.raises(DeviceError):
        setup.open()
    setup.microphone.close()


def device(name: str, **more: object) -> Device:
    about: dict[str, object] = {"host": "ALSA", "inputs": 2, "outputs": 2, "rate": 48_000, "index": 0}
    about |= {"is_default_input": False, "is_default_output": False, **more}
    return Device(name=name, **about)  # type: ignore[arg-type]  # the table above has the right ones


def test_a_device_is_chosen_by_name_and_else_the_default_then_what_shares() -> None:
    found = (device("hw:0"), device("pulse"), device("USB Mic"), device("USB Mic 2"), device("built in", is_default_input=True))
    assert [d.name for d in choose(found, "usb mic", "input")] == ["USB Mic", "USB Mic 2"]
    assert [d.name for d in choose(found, "", "input")][:2] == ["built in", "pulse"]
    assert choose(found, "no such", "input") == ()
    assert choose((device("speaker only", inputs=0),), "", "input") == ()

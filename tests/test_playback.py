"""The loudspeaker: exact about what was played, silent at once, and no prompt is ever waited for in vain."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_sound import FakeClocks, FakeHouse
from voiceguide.adapters.play_buffer import PlayBuffer
from voiceguide.adapters.playback import GRACE, ROOMY, SoundPlayback, VirtualPlayback
from voiceguide.adapters.reference import HIGHEST, Reference
from voiceguide.adapters.stream_keeper import CLOSE_LIMIT, WAITS, close_within
from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import EAR_RATE, Clip

RATE = 16_000
HOLE = -1.0
PATIENCE = 5.0  # seconds a test waits for another thread before it fails


def clip(seconds: float, rate: int = RATE, value: int = 1000) -> Clip:
    return Clip(np.full(round(seconds * rate), value, np.int16), rate)


class Ends:
    """Collects on_end calls, in order."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[str, float, bool]] = queue.Queue()

    def of(self, name: str) -> Callable[[float, bool], None]:
        return lambda seconds, complete: self._calls.put((name, round(seconds, 3), complete))

    def next(self) -> tuple[str, float, bool]:
        return self._calls.get(timeout=PATIENCE)

    @property
    def none_waits(self) -> bool:
        return self._calls.empty()


class Setup:
    def __init__(self, rate: int = RATE) -> None:
        self.sound, self.time, self.ends = FakeHouse(rate), FakeClocks(), Ends()
        self.troubles: list[str] = []
        self.playback = SoundPlayback(on_trouble=self.troubles.append, house=self.sound.house, clocks=self.time.clocks)


@pytest.fixture
def open_one() -> Iterator[Setup]:
    setup = Setup()
    setup.playback.open()
    yield setup
    setup.playback.close()


# --- the buffer, exactly -------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 700), max_size=6), st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_what_is_pulled_is_what_was_put_without_a_gap(lengths: list[int], pulls: list[int]) -> None:
    buffer: PlayBuffer[int] = PlayBuffer(RATE)
    put = [np.arange(1, length + 1, dtype=np.int16) for length in lengths]
    for number, samples in enumerate(put):
        buffer.put(number, samples)
    pulled, ended = [], []
    for count in pulls:
        samples, ends = buffer.pull(count)
        assert len(samples) == count
        pulled.append(samples)
        ended += ends
    whole = np.concatenate([*put, np.zeros(0, np.int16)])
    total = sum(pulls)
    expected = np.concatenate([whole[:total], np.zeros(max(0, total - len(whole)), np.int16)])
    assert np.array_equal(np.concatenate(pulled), expected)
    assert [end.ticket for end in ended] == [n for n in range(len(lengths)) if sum(lengths[: n + 1]) <= total]
    assert all(end.complete and end.seconds == lengths[end.ticket] / RATE for end in ended)


@given(st.integers(0, 4000), st.integers(1, 2000))
def test_a_hush_is_silent_after_five_milliseconds_and_never_jumps(before: int, length: int) -> None:
    buffer: PlayBuffer[str] = PlayBuffer(RATE)
    buffer.put("first", np.full(length, 20_000, np.int16))
    buffer.put("second", np.full(length, 20_000, np.int16))
    if before:
        buffer.pull(before)
    buffer.hush()
    after, _ = buffer.pull(1000)
    assert not after[80:].any()
    assert buffer.idle
    if len(faded := after[after != 0]) > 1 and len(faded) > 70:  # a fade of its whole length, not one cut by the clip's end
        assert np.abs(np.diff(faded.astype(int))).max() < 400


def test_every_clip_ends_exactly_once_also_when_hushed_twice() -> None:
    buffer: PlayBuffer[str] = PlayBuffer(RATE)
    for name in "abc":
        buffer.put(name, np.ones(1600, np.int16))
    buffer.pull(100)
    ended = buffer.hush() + buffer.hush()
    ended += buffer.pull(1600)[1] + buffer.hush() + buffer.pull(1600)[1]
    assert sorted(end.ticket for end in ended) == ["a", "b", "c"]
    assert not any(end.complete for end in ended)


def test_another_rate_keeps_the_seconds_that_were_played() -> None:
    buffer: PlayBuffer[str] = PlayBuffer(16_000)
    buffer.put("a", np.ones(16_000, np.int16))
    buffer.pull(4_000)
    buffer.change_rate(48_000, lambda samples, rate, to: np.repeat(samples, to // rate))
    _, ended = buffer.pull(40_000)
    assert [(end.seconds, end.complete) for end in ended] == [(1.0, True)]


# --- the device ----------------------------------------------------------------------------------------------------------


def test_a_clip_that_was_played_is_told_with_its_seconds(open_one: Setup) -> None:
    open_one.playback.play(clip(0.5), open_one.ends.of("a"))
    played = open_one.sound.last.pull(RATE)
    assert open_one.ends.next() == ("a", 0.5, True)
    assert np.count_nonzero(played) == RATE // 2


def test_a_clip_of_another_rate_lasts_as_long(open_one: Setup) -> None:
    open_one.playback.play(clip(1.0, rate=22_050), open_one.ends.of("a"))
    played = open_one.sound.last.pull(2 * RATE)
    assert open_one.ends.next() == ("a", 1.0, True)
    assert abs(np.count_nonzero(played) - RATE) < RATE // 100


def test_hush_ends_everything_incomplete_and_counts_what_was_heard(open_one: Setup) -> None:
    open_one.playback.play(clip(2.0), open_one.ends.of("a"))
    open_one.playback.play(clip(2.0), open_one.ends.of("b"))
    open_one.sound.last.pull(RATE)
    open_one.playback.hush()
    open_one.sound.last.pull(RATE)
    assert {open_one.ends.next(), open_one.ends.next()} == {("a", 1.005, False), ("b", 0.0, False)}
    open_one.playback.play(clip(0.1), open_one.ends.of("c"))
    open_one.sound.last.pull(RATE)
    assert open_one.ends.next() == ("c", 0.1, True)


def test_a_loudspeaker_that_comes_back_goes_on_where_it_was(open_one: Setup) -> None:
    open_one.playback.play(clip(2.0), open_one.ends.of("a"))
    open_one.sound.last.pull(RATE)
    open_one.sound.last.running = False
    open_one.playback.look()
    assert open_one.troubles == ["playback_lost"]
    open_one.sound.rate = 48_000
    open_one.playback.look()
    assert open_one.troubles == ["playback_lost", "playback_back"]
    open_one.sound.last.pull(48_000)
    assert open_one.ends.next() == ("a", 2.0, True)


def test_a_loudspeaker_that_stays_away_keeps_nobody_waiting(open_one: Setup) -> None:
    open_one.playback.play(clip(2.0), open_one.ends.of("a"))
    open_one.sound.last.pull(RATE)
    open_one.sound.last.running = open_one.sound.plugged = False
    open_one.playback.look()
    open_one.playback.look()
    assert open_one.ends.none_waits
    open_one.time.pass_(GRACE + 0.1)
    open_one.playback.look()
    assert open_one.ends.next() == ("a", 1.0, False)
    open_one.playback.play(clip(1.0), open_one.ends.of("b"))
    assert open_one.ends.next() == ("b", 0.0, False)


def test_hush_answers_at_once_while_the_loudspeaker_is_away(open_one: Setup) -> None:
    open_one.playback.play(clip(2.0), open_one.ends.of("a"))
    open_one.sound.last.pull(RATE // 2)
    open_one.sound.last.running = open_one.sound.plugged = False
    open_one.playback.look()
    open_one.playback.hush()
    assert open_one.ends.next()[0] == "a"


def test_a_stream_that_calls_itself_active_but_asks_for_nothing_is_replaced(open_one: Setup) -> None:
    open_one.sound.last.pull(100)
    open_one.time.pass_(1.1)
    open_one.playback.look()
    open_one.playback.look()
    assert open_one.troubles == ["playback_lost", "playback_back"]
    assert open_one.sound.streams[0].closed


def test_attempts_to_reopen_grow_rarer(open_one: Setup) -> None:
    open_one.sound.last.running = open_one.sound.plugged = False
    tried = []
    for step in range(400):
        before = open_one.sound.attempts
        open_one.playback.look()
        if open_one.sound.attempts > before:
            tried.append(step * 0.1)
        open_one.time.pass_(0.1)
    waits = np.diff(tried)
    assert np.allclose(waits[:5], WAITS[1:], atol=0.11)
    assert open_one.sound.refreshed == len(tried) - 1


def test_between_prompts_it_gives_way_to_a_microphone_that_waits_for_the_list(open_one: Setup) -> None:
    open_one.sound.last.pull(10)
    open_one.sound.wanted = True
    open_one.playback.play(clip(0.1), open_one.ends.of("a"))
    open_one.playback.look()
    assert open_one.sound.last.running, "never in mid-sentence"
    open_one.sound.last.pull(RATE)
    open_one.playback.look()
    assert not open_one.sound.streams[0].running
    open_one.sound.wanted = False
    open_one.time.pass_(1.0)
    open_one.playback.look()
    assert open_one.sound.last.running
    assert open_one.troubles == []


def test_a_loudspeaker_that_runs_dry_gets_more_room_between_prompts_once(open_one: Setup) -> None:
    open_one.sound.last.pull(10)
    open_one.sound.last.dry = 7
    open_one.playback.look()
    assert open_one.sound.latencies == [None], "the gaps of the opening itself do not count"
    open_one.playback.play(clip(0.1), open_one.ends.of("a"))
    open_one.sound.last.dry = 10
    open_one.playback.look()
    assert open_one.sound.latencies == [None], "never in mid-sentence"
    open_one.sound.last.pull(RATE)
    open_one.playback.look()
    assert open_one.sound.latencies == [None, ROOMY]
    open_one.sound.last.dry = 30
    open_one.playback.look()
    assert len(open_one.sound.streams) == 2
    assert open_one.troubles == []


def test_closing_ends_what_was_pending_and_playing_afterwards_ends_at_once() -> None:
    setup = Setup()
    setup.playback.open()
    setup.playback.play(clip(1.0), setup.ends.of("a"))
    setup.playback.close()
    setup.playback.close()
    assert setup.ends.next() == ("a", 0.0, False)
    assert setup.sound.last.closed


def test_a_listener_that_raises_does_not_swallow_the_next_end(open_one: Setup) -> None:
    def broken(seconds: float, complete: bool) -> None:
        raise RuntimeError

    open_one.playback.play(clip(0.1), broken)
    open_one.playback.play(clip(0.1), open_one.ends.of("b"))
    open_one.sound.last.pull(RATE)
    assert open_one.ends.next() == ("b", 0.1, True)


def test_no_loudspeaker_is_a_device_error_after_one_fresh_look() -> None:
    setup = Setup()
    setup.sound.plugged = False
    with pytest.raises(DeviceError):
        setup.playback.open()
    assert setup.sound.refreshed == 1


def test_a_close_that_never_returns_is_left_behind() -> None:
    import threading

    class Stuck:
        name, rate, latency = "stuck", 1, 0.0
        let_go = threading.Event()

        def gaps(self) -> int:
            return 0

        def alive(self) -> bool:
            return True

        def close(self) -> None:
            self.let_go.wait(PATIENCE)

    assert CLOSE_LIMIT <= 2.0
    assert not close_within(Stuck(), 0.01)
    Stuck.let_go.set()


# --- what the echo canceller is told -------------------------------------------------------------------------------------


def alternately(reference: Reference, seconds: float, lump: int = 160, gain: float = 1.0) -> list[float]:
    """Push a count of samples in lumps, take 20 ms frames at the microphone's pace; how many seconds each frame lags."""
    pushed, lags = 0.0, []
    for number in range(round(seconds * 50)):
        while pushed < (number + 1) * 320 * gain:
            reference.push(np.full(lump, round(pushed / 160) % 30_000 + 1, np.int16), EAR_RATE)
            pushed += lump
        newest = reference.take(320)[-1]
        lags.append((pushed / 160 - newest) * 0.01 if newest else HOLE)
    return lags


def test_the_reference_is_what_was_played_in_order() -> None:
    reference = Reference()
    sound = np.arange(16_000, dtype=np.int16)
    taken = []
    for at in range(0, 16_000, 320):
        reference.push(sound[at : at + 320], EAR_RATE)
        taken.append(reference.take(320))
    assert np.array_equal(np.concatenate(taken), sound)


@pytest.mark.parametrize("lump", [160, 640, 1600])
def test_the_reference_settles_shortly_behind_what_is_played_whatever_the_lumps(lump: int) -> None:
    lags = alternately(Reference(), 10.0, lump)
    assert max(lags[200:]) <= HIGHEST / EAR_RATE + 2 * lump / EAR_RATE + 0.02
    assert HOLE not in lags[200:]


@pytest.mark.parametrize("gain", [1.05, 0.95])
def test_the_reference_does_not_run_away_when_the_clocks_differ(gain: float) -> None:
    assert max(alternately(Reference(), 60.0, gain=gain)) < 0.2


def test_a_stalled_microphone_costs_the_step_for_a_second_at_most() -> None:
    reference = Reference()
    alternately(reference, 3.0)
    for _ in range(50):
        reference.push(np.full(160, 9, np.int16), EAR_RATE)  # half a second that the microphone never delivered
    for _ in range(50):
        reference.push(np.full(320, 9, np.int16), EAR_RATE)
        reference.take(320)
    reference.push(np.full(320, 10, np.int16), EAR_RATE)
    late = next(number for number in range(100) if 10 in reference.take(320))
    assert late * 0.02 <= HIGHEST / EAR_RATE + 0.02


def test_sound_that_comes_late_does_not_shift_what_follows() -> None:
    reference = Reference()
    assert not reference.take(320).any()
    reference.push(np.arange(1, 641, dtype=np.int16), EAR_RATE)
    assert reference.take(320).tolist() == list(range(321, 641))


def test_nothing_played_is_silence_of_the_right_length() -> None:
    assert Reference().take(320).tolist() == [0] * 320


# --- pretending ----------------------------------------------------------------------------------------------------------


class Schedule:
    """Virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._count += 1
        self._waiting.append((self.now + seconds, self._count, callback))

    def run(self, until: float) -> None:
        while due := [item for item in self._waiting if item[0] <= until]:
            first = min(due, key=lambda item: item[:2])
            self._waiting.remove(first)
            self.now = first[0]
            first[2]()
        self.now = until


def test_pretended_clips_follow_each_other_and_end_on_time() -> None:
    time, said, ends = Schedule(), [], []
    playback = VirtualPlayback(lambda: time.now, time.later, lambda clip, at: said.append((clip.seconds, at)))
    playback.play(clip(1.0), lambda s, c: ends.append((time.now, s, c)))
    playback.play(clip(0.5), lambda s, c: ends.append((time.now, s, c)))
    time.run(10.0)
    assert said == [(1.0, 0.0), (0.5, 1.0)]
    assert ends == [(1.0, 1.0, True), (1.5, 0.5, True)]


def test_a_pretended_hush_cuts_what_was_said_and_stale_ends_do_nothing() -> None:
    time, said, ends = Schedule(), [], []
    playback = VirtualPlayback(lambda: time.now, time.later, lambda clip, at: said.append((clip, at)))
    playback.play(clip(2.0), lambda s, c: ends.append((round(s, 3), c)))
    playback.play(clip(2.0), lambda s, c: ends.append((round(s, 3), c)))
    time.run(0.5)
    playback.hush()
    playback.play(clip(3.0), lambda s, c: ends.append((round(s, 3), c)))
    time.run(2.1)
    assert ends == [(0.505, False), (0.0, False)]
    time.run(10.0)
    assert ends[-1] == (3.0, True)
    assert [round(at, 3) for _, at in said] == [0.0, 0.5]
    assert said[0][0].samples[-1] == 0

"""One stream, always open, that can fall silent within a block; and one that only pretends, in anybody's time.

The stream never closes between prompts: sleepy outputs swallow the first syllable after every pause. Whatever happens to
the device, every `on_end` is called exactly once: the guide waits for it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from typing_extensions import Self

from voiceguide.adapters.play_buffer import FADE_SECONDS, Ended, PlayBuffer
from voiceguide.adapters.reference import Reference
from voiceguide.adapters.resample import resample
from voiceguide.adapters.sound_devices import PORTAUDIO, House, Stream
from voiceguide.adapters.stream_keeper import REAL_CLOCKS, Clocks, StreamKeeper
from voiceguide.runtime.ports import Clip, Samples

GRACE = 3.0  # seconds that a prompt waits for a vanished loudspeaker before it is given up: nobody may be kept waiting
# The device's own latency (35 ms) is silent soonest, but on a crowded machine it crackles (1 to 7% of the sound lost at five
# times more work than cores, measured); 0.1 s lost under 1% and falls silent in 120 ms. So: quick, until it has run dry.
GAPS_LIMIT, ROOMY = 3, 0.1
LOST, BACK = "playback_lost", "playback_back"

OnEnd = Callable[[float, bool], None]

_log = logging.getLogger(__name__)


class SoundPlayback:
    """Implements ports.Playback on PortAudio. Trouble: `playback_lost`, `playback_back`."""

    def __init__(
        self,
        device: str = "",
        *,
        on_trouble: Callable[[str], None] = lambda _: None,
        house: House = PORTAUDIO,
        clocks: Clocks = REAL_CLOCKS,
    ) -> None:
        """`device`: its name or a part of it, "" the default. `house` and `clocks` are for tests without a device."""
        self.device = device
        self._on_trouble, self._house, self._clocks = on_trouble, house, clocks
        self._buffer: PlayBuffer[OnEnd] = PlayBuffer(48_000)
        self._reference = Reference()
        self._keeper = StreamKeeper(self, house, clocks)
        self._latency = 0.0
        self._wanted_latency: float | None = None
        self._gaps_from = (-1e9, 0)  # when, and how many there were then
        self._away = False
        self._lost_at = 0.0
        self._ends: queue.SimpleQueue[tuple[float, Ended[OnEnd]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Open the loudspeaker and keep it open. Raises DeviceError with a hint."""
        self._closing.clear()
        stream = self._keeper.open()
        self._settle(stream)
        self._thread = threading.Thread(target=self._tell, name="playback-ends", daemon=True)
        self._thread.start()
        self._keeper.watch("playback-watch", self.look)
        _log.info("loudspeaker %s at %d Hz", stream.name, stream.rate)

    def play(self, clip: Clip, on_end: OnEnd) -> None:
        """Queue a clip; `on_end(seconds really played, complete)` follows, in another thread, when it has been heard."""
        if self._thread is None or self._given_up():
            self._end([Ended(on_end, 0.0, complete=False)])
            return
        rate = self._buffer.rate
        samples = resample(clip.samples, clip.rate, rate)
        if rate != self._buffer.rate:  # the device came back at another rate in between
            samples = resample(clip.samples, clip.rate, self._buffer.rate)
        self._buffer.put(on_end, samples)

    def hush(self) -> None:
        """Drop all that is queued with a 5 ms fade; every pending `on_end` is called with complete=False."""
        ended = self._buffer.hush()
        self._end(ended + self._buffer.drop() if self._keeper.lost else ended)

    def reference(self, samples: int) -> Samples:
        """What was played (at EAR_RATE) during the last `samples` samples not yet asked for; zeros when nothing was."""
        return self._reference.take(samples)

    def look(self) -> None:
        """One look of the watchdog (a thread does so every 250 ms once open)."""
        self._keeper.look()
        if self._runs_dry() and self._buffer.idle:
            self._wanted_latency = ROOMY
            _log.info("the loudspeaker ran dry: opening it again with more room")
            self._keeper.step_aside(0.0)
            self._keeper.look()
        if self._given_up():
            self._end(self._buffer.drop())

    def close(self) -> None:
        """Let the device go; whatever was pending ends incomplete. Safe to call twice."""
        self._keeper.close()
        thread, self._thread = self._thread, None
        self._end(self._buffer.drop())
        if thread is None:
            return
        self._closing.set()
        self._ends.put(None)
        if thread is not threading.current_thread():
            thread.join(2.0)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_stream(self) -> Stream:
        """For the keeper: open the device. Raises DeviceError."""
        return self._house.open_output(self.device, self._fill, self._wanted_latency)

    def lost(self, _why: str) -> None:
        """For the keeper: the device went away."""
        self._away = True
        self._lost_at = self._clocks.awake()
        self._on_trouble(LOST)

    def back(self, stream: Stream) -> None:
        """For the keeper: the device is there again; what waited goes on."""
        self._settle(stream)
        if self._away:
            self._away = False
            self._on_trouble(BACK)

    def may_yield(self) -> bool:
        """Between prompts nobody notices."""
        return self._buffer.idle

    def _fill(self, count: int) -> Samples:
        """The device's thread: hand over, remember for the echo canceller, and leave all telling to the other thread."""
        self._keeper.beat()
        samples, ended = self._buffer.pull(count)
        self._reference.push(samples, self._buffer.rate)
        for end in ended:
            self._ends.put((time.monotonic() + self._latency, end))
        return samples

    def _settle(self, stream: Stream) -> None:
        self._latency = stream.latency
        if stream.rate != self._buffer.rate:
            self._buffer.change_rate(stream.rate, resample)

    def _runs_dry(self) -> bool:
        """More than a hiccup: GAPS_LIMIT within a minute, those of the opening itself not counted."""
        now, gaps = self._clocks.awake(), self._keeper.gaps()
        if now - self._gaps_from[0] > 60 or gaps < self._gaps_from[1]:
            self._gaps_from = (now, gaps)
        return self._wanted_latency is None and gaps - self._gaps_from[1] >= GAPS_LIMIT

    def _given_up(self) -> bool:
        return self._away and self._clocks.awake() - self._lost_at > GRACE

    def _end(self, ended: list[Ended[OnEnd]]) -> None:
        for end in ended:
            self._ends.put((0.0, end))

    def _tell(self) -> None:
        while (item := self._ends.get()) is not None:
            due, end = item
            self._closing.wait(max(0.0, due - time.monotonic()))
            try:
                end.ticket(end.seconds, end.complete)
            except Exception as trouble:  # noqa: BLE001 - the next prompts must still end; the message may hold speech
                _log.error("an end of a prompt raised %s", type(trouble).__name__)


class VirtualPlayback:
    """Plays to nobody, in the time of whoever schedules: for a recording at its own pace and machines without a loudspeaker.

    `now()` in seconds; `schedule(seconds from now, callback)`; `on_samples(clip really played, the time it began)` is called
    when a clip ends or is hushed (then it is cut, faded). Everything happens in the scheduler's thread.
    """

    def __init__(
        self,
        now: Callable[[], float],
        schedule: Callable[[float, Callable[[], None]], None],
        on_samples: Callable[[Clip, float], None] = lambda _clip, _at: None,
    ) -> None:
        self._now, self._schedule, self._on_samples = now, schedule, on_samples
        self._queue: deque[tuple[Clip, OnEnd]] = deque()
        self._playing: tuple[Clip, OnEnd, float] | None = None
        self._turn = 0  # grows with every clip begun or hushed, so that a stale end is recognised

    def open(self) -> None:
        """Nothing to open."""

    def play(self, clip: Clip, on_end: OnEnd) -> None:
        """Queue a clip; it begins when those before it have ended."""
        self._queue.append((clip, on_end))
        if self._playing is None:
            self._begin(self._now())

    def hush(self) -> None:
        """Drop all that is queued; every pending `on_end` is called with complete=False, before this returns."""
        playing, self._playing = self._playing, None
        waiting, self._queue = self._queue, deque()
        self._turn += 1
        if playing is not None:
            clip, on_end, began = playing
            heard = _cut(clip, self._now() - began)
            self._on_samples(heard, began)
            on_end(heard.seconds, False)
        for _, on_end in waiting:
            on_end(0.0, False)

    def reference(self, samples: int) -> Samples:
        """Nothing sounds, so nothing echoes: zeros."""
        return np.zeros(samples, np.int16)

    def close(self) -> None:
        """Hush; safe to call twice."""
        self.hush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, at: float) -> None:
        clip, on_end = self._queue.popleft()
        self._playing = (clip, on_end, at)
        self._turn += 1
        turn = self._turn
        self._schedule(max(0.0, at + clip.seconds - self._now()), lambda: self._finish(turn))

    def _finish(self, turn: int) -> None:
        if self._playing is None or turn != self._turn:
            return  # hushed in the meantime
        (clip, on_end, began), self._playing = self._playing, None
        if self._queue:
            self._begin(began + clip.seconds)  # without a gap, whatever the scheduler's delay
        self._on_samples(clip, began)
        on_end(clip.seconds, True)


def _cut(clip: Clip, seconds: float) -> Clip:
    """The first `seconds` of a clip and 5 ms of fade."""
    at = max(0, round(seconds * clip.rate))
    kept = clip.samples[: at + round(FADE_SECONDS * clip.rate)].copy()
    tail = kept[at:]
    if len(tail):
        tail[:] = (tail * np.linspace(1.0, 0.0, len(tail))).astype(np.int16)
    return Clip(kept, clip.rate)

"""A device that went away comes back: notice it by its silence, not by its word, close it, look again, ever less often.

Drivers lie: after sleep or a pulled plug a stream may call itself active for ever (PortAudio 944, linux-voice-assistant
355), so blocks are counted against the clock. Everything here is one step, `look`, that a thread repeats and a test calls.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from voiceguide.adapters.sound_devices import House, Stream
from voiceguide.errors import DeviceError

LOOK_EVERY = 0.25  # seconds
QUIET_LIMIT = 1.0  # seconds without a block: lost
FIRST_BLOCK_LIMIT = 3.0  # seconds: a virtual device's first block came 1.75 s late (measured)
SLEEP_JUMP = 5.0  # seconds by which the clock that counts sleep ran ahead: the laptop slept
CLOSE_LIMIT = 2.0  # seconds; a driver's close can block for ever
ASIDE = 0.5  # seconds that a stream stays closed so that another may look for its device
WAITS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before each attempt to open again; then always the last

_log = logging.getLogger(__name__)


def time_with_sleep() -> float:
    """Seconds that also pass while the machine sleeps; wall time where the system has no such clock."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if boottime is None else time.clock_gettime(boottime)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`awake` stops while the machine sleeps, `all` does not; both in seconds from anywhere. `look_every` seconds a thread
    looks after the device; None: nobody does, unless `look` is called.
    """

    awake: Callable[[], float] = time.monotonic
    all: Callable[[], float] = time_with_sleep
    look_every: float | None = LOOK_EVERY


REAL_CLOCKS = Clocks()


class Owner(Protocol):
    """Whose stream it is. `lost`, `back` and `may_yield` are called from the thread that looks."""

    def open_stream(self) -> Stream:
        """Raises DeviceError."""

    def lost(self, _why: str) -> None:
        """The device is gone; technical reason."""

    def back(self, stream: Stream) -> None:
        """It plays or listens again, maybe at another rate; also after it gave way, without `lost` before."""

    def may_yield(self) -> bool:
        """Closing for half a second would hurt nobody just now."""


class StreamKeeper:
    """Owns one open stream and replaces it when it dies. `beat()` is called at every block, in the device's thread."""

    def __init__(self, owner: Owner, house: House, clocks: Clocks = REAL_CLOCKS) -> None:
        self._owner, self._house, self._clocks = owner, house, clocks
        self._stream: Stream | None = None
        self._beaten = False
        self._last_beat = self._slept = self._next_attempt = 0.0
        self._attempts = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> Stream:
        """Open for the first time. Raises DeviceError: a device that never was there is not waited for."""
        self._ending.clear()
        try:
            stream = self._owner.open_stream()
        except DeviceError:
            if not self._house.refresh():  # the list may be older than the device
                raise
            stream = self._owner.open_stream()
        self._adopt(stream)
        return stream

    def watch(self, name: str, look: Callable[[], None]) -> None:
        """Call `look` (the owner's, which calls ours) every 250 ms from now on, in a thread of that name."""
        if self._clocks.look_every is None:
            return
        self._thread = threading.Thread(target=self._run, args=(look,), name=name, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """The device is away just now."""
        return self._stream is None

    def beat(self) -> None:
        """A block came (device's thread: nothing but two assignments)."""
        self._last_beat = self._clocks.awake()
        self._beaten = True

    def look(self) -> None:
        """One step: is it alive? If not, is it time to try again?"""
        if self._stream is None:
            self._retry()
            return
        why = self._why_lost(self._stream)
        if why:
            _log.warning("sound device lost: %s", why)
            dead, self._stream = self._stream, None
            self._attempts, self._next_attempt = 0, self._clocks.awake() + WAITS[0]
            self._owner.lost(why)
            close_within(dead, CLOSE_LIMIT)
        elif self._house.room_wanted() and self._owner.may_yield():
            self.step_aside(ASIDE)

    def step_aside(self, seconds: float) -> None:
        """Close, and open again so much later, without calling it a loss (from the thread that looks)."""
        aside, self._stream = self._stream, None
        self._attempts, self._next_attempt = 0, self._clocks.awake() + seconds
        if aside is not None:
            close_within(aside, CLOSE_LIMIT)

    def gaps(self) -> int:
        """How often the open stream ran dry."""
        stream = self._stream
        return 0 if stream is None else stream.gaps()

    def close(self) -> None:
        """Let the device go; safe to call twice."""
        self._ending.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_LIMIT * 2)
        stream, self._stream = self._stream, None
        if stream is not None:
            close_within(stream, CLOSE_LIMIT)

    def _run(self, look: Callable[[], None]) -> None:
        while not self._ending.wait(self._clocks.look_every):
            look()

    def _adopt(self, stream: Stream) -> None:
        self._beaten = False
        self._last_beat = self._clocks.awake()
        self._slept = self._clocks.all() - self._last_beat
        self._stream = stream

    def _why_lost(self, stream: Stream) -> str:
        now = self._clocks.awake()
        slept = self._clocks.all() - now
        jump, self._slept = slept - self._slept, slept
        if jump > SLEEP_JUMP:
            return "the machine slept"
        if not stream.alive():
            return "the stream ended"
        if now - self._last_beat > (QUIET_LIMIT if self._beaten else FIRST_BLOCK_LIMIT):
            return "no more blocks"
        return ""

    def _retry(self) -> None:
        if self._clocks.awake() < self._next_attempt:
            return
        try:
            if self._attempts:  # the first attempt is the quick one: a restarted sound server needs no new list
                self._house.refresh()
            stream = self._owner.open_stream()
        except DeviceError as trouble:
            self._attempts += 1
            self._next_attempt = self._clocks.awake() + WAITS[min(self._attempts, len(WAITS) - 1)]
            _log.info("sound device not back yet: %s", trouble.code)
            return
        if self._ending.is_set():
            close_within(stream, CLOSE_LIMIT)
            return
        self._adopt(stream)
        self._owner.back(stream)


def close_within(stream: Stream, seconds: float) -> bool:
    """Close in a helper thread; False when the driver is stuck in it (it is then left behind)."""
    helper = threading.Thread(target=stream.close, name="sound-close", daemon=True)
    helper.start()
    helper.join(seconds)
    return not helper.is_alive()

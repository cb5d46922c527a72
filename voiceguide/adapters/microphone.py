"""Whatever the microphone delivers, the ear gets 20 ms frames at 16 kHz; and a microphone that falls silent is noticed.

The device's callback copies and enqueues, nothing else: one that dawdles loses blocks without any flag (measured: a third
of them at 30 ms per 20 ms block). A thread of ours does the rest.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

import numpy as np
from typing_extensions import Self

from voiceguide.adapters.resample import StreamResampler
from voiceguide.adapters.sound_devices import PORTAUDIO, House, Stream
from voiceguide.adapters.stream_keeper import REAL_CLOCKS, Clocks, StreamKeeper
from voiceguide.runtime.ports import EAR_RATE, FRAME, Samples

ZEROS_LIMIT = 1.5  # seconds of bit-exact zeros: no real microphone does that (macOS without permission does)
QUEUE_BLOCKS = 500  # about 5 s of 10 ms blocks: longer than any pause of this process

LOST, BACK, SILENT = "microphone_lost", "microphone_back", "microphone_silent"

_log = logging.getLogger(__name__)


class FrameCutter:
    """Blocks of any size at any rate in, frames of FRAME samples at EAR_RATE out; also knows when all is bit-exact zero."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.zero_seconds = 0.0
        self._resampler = StreamResampler(rate, EAR_RATE)
        self._rest = np.zeros(0, np.int16)

    def feed(self, block: Samples) -> list[Samples]:
        """The frames that are now complete, oldest first."""
        self.zero_seconds = 0.0 if block.any() else self.zero_seconds + len(block) / self.rate
        sound = np.concatenate((self._rest, self._resampler.feed(block)))
        whole = len(sound) // FRAME
        self._rest = sound[whole * FRAME :]
        return [sound[i * FRAME : (i + 1) * FRAME] for i in range(whole)]


class SoundMicrophone:
    """Implements ports.Microphone on PortAudio. Trouble: `microphone_lost`, `microphone_back`, `microphone_silent`."""

    def __init__(self, device: str = "", *, house: House = PORTAUDIO, clocks: Clocks = REAL_CLOCKS) -> None:
        """`device`: its name or a part of it, "" the default. `house` and `clocks` are for tests without a device."""
        self.device = device
        self.dropped = 0  # blocks lost because the frames were not taken in time
        self._house = house
        self._blocks: queue.Queue[tuple[int, bytes] | None] = queue.Queue(QUEUE_BLOCKS)
        self._keeper = StreamKeeper(self, house, clocks)
        self._on_frame: Callable[[Samples], None] = lambda _: None
        self._on_trouble: Callable[[str], None] = lambda _: None
        self._thread: threading.Thread | None = None
        self._silent = self._away = False

    def open(self, on_frame: Callable[[Samples], None], on_trouble: Callable[[str], None]) -> None:
        """Start listening. Callbacks come from this object's own threads. Raises DeviceError with a hint."""
        self._on_frame, self._on_trouble = on_frame, on_trouble
        stream = self._keeper.open()
        _log.info("microphone %s at %d Hz", stream.name, stream.rate)
        self._thread = threading.Thread(target=self._deliver, name="microphone", daemon=True)
        self._thread.start()
        self._keeper.watch("microphone-watch", self.look)

    def look(self) -> None:
        """One look of the watchdog (a thread does so every 250 ms once open)."""
        self._keeper.look()

    def close(self) -> None:
        """Stop listening and let the device go; safe to call twice."""
        self._keeper.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._blocks.put(None)
            thread.join(2.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_stream(self) -> Stream:
        """For the keeper: open the device. Raises DeviceError."""
        rate = [0]  # known only once the stream is open; blocks that come before it wait in the queue

        def on_block(data: bytes) -> None:
            self._keeper.beat()
            try:
                self._blocks.put_nowait((rate[0], data))
            except queue.Full:
                self.dropped += 1

        stream = self._house.open_input(self.device, on_block)
        rate[0] = stream.rate
        return stream

    def _deliver(self) -> None:
        cutter = FrameCutter(EAR_RATE)
        while (item := self._blocks.get()) is not None:
            rate, data = item
            if rate == 0:
                continue  # the first milliseconds, before the rate was known
            if rate != cutter.rate:
                cutter = FrameCutter(rate)
            for frame in cutter.feed(np.frombuffer(data, np.int16)):
                self._on_frame(frame)
            self._notice_silence(cutter.zero_seconds)

    def _notice_silence(self, zero_seconds: float) -> None:
        if zero_seconds >= ZEROS_LIMIT and not self._silent:
            self._silent = True
            self._on_trouble(SILENT)
        elif zero_seconds == 0.0 and self._silent:
            self._silent = False
            self._on_trouble(BACK)

    def lost(self, _why: str) -> None:
        """For the keeper: the device went away."""
        self._silent = False
        self._away = True
        self._on_trouble(LOST)

    def back(self, stream: Stream) -> None:
        """For the keeper: the device is there again."""
        _log.info("microphone %s at %d Hz is back", stream.name, stream.rate)
        if self._away:
            self._away = False
            self._on_trouble(BACK)

    def may_yield(self) -> bool:
        """A guide that cannot speak is worth less than half a second of hearing."""
        return True

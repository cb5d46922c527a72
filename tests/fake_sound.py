"""A sound system that does what a test says: hands out blocks, dies, comes back at another rate."""

from __future__ import annotations

from voiceguide.adapters.sound_devices import Fill, House, OnBlock, Stream
from voiceguide.adapters.stream_keeper import Clocks
from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import Samples


class FakeStream:
    """One open device; `pull` and `push` are the driver's calls."""

    def __init__(self, rate: int, fill: Fill | None = None, on_block: OnBlock | None = None) -> None:
        self.name, self.rate, self.latency = "fake", rate, 0.0
        self.running, self.closed, self.dry = True, 0, 0
        self._fill, self._on_block = fill, on_block

    def pull(self, count: int) -> Samples:
        assert self._fill is not None
        return self._fill(count)

    def push(self, samples: Samples) -> None:
        assert self._on_block is not None
        self._on_block(samples.tobytes())

    def gaps(self) -> int:
        return self.dry

    def alive(self) -> bool:
        return self.running

    def close(self) -> None:
        self.running = False
        self.closed += 1


class FakeHouse:
    """`plugged`: whether opening works; `rate`: what the next stream has; `streams`: all that were opened."""

    def __init__(self, rate: int = 16_000) -> None:
        self.rate, self.plugged, self.wanted = rate, True, False
        self.streams: list[FakeStream] = []
        self.attempts = self.refreshed = 0
        self.latencies: list[float | None] = []

    @property
    def house(self) -> House:
        return House(self._open_input, self._open_output, self._refresh, lambda: self.wanted)

    @property
    def last(self) -> FakeStream:
        return self.streams[-1]

    def _open_input(self, name: str, on_block: OnBlock) -> Stream:
        return self._opened(FakeStream(self.rate, on_block=on_block))

    def _open_output(self, name: str, fill: Fill, latency: float | None) -> Stream:
        self.latencies.append(latency)
        return self._opened(FakeStream(self.rate, fill=fill))

    def _opened(self, stream: FakeStream) -> Stream:
        self.attempts += 1
        if not self.plugged:
            raise DeviceError("no_device")
        self.streams.append(stream)
        return stream

    def _refresh(self) -> bool:
        self.refreshed += 1
        return True


class FakeClocks:
    """Time that passes when the test says so, awake or asleep."""

    def __init__(self) -> None:
        self.awake = self.all = 100.0

    def pass_(self, seconds: float) -> None:
        self.awake += seconds
        self.all += seconds

    def suspend(self, seconds: float) -> None:
        self.all += seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.awake, lambda: self.all, None)

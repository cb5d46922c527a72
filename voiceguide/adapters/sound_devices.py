"""PortAudio behind one door: names, rates, opening, and starting afresh after a device vanished.

The only file that imports `sounddevice`, lazily: a machine without libportaudio gets a sentence, not a traceback.
PortAudio freezes its list of devices when it starts; only terminating it refreshes the list, and that kills every open
stream. So this file counts the open streams and refreshes only when none is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from voiceguide.errors import DeviceError
from voiceguide.runtime.ports import EAR_RATE, Samples

LATENCY = "high"  # measured: `low` gave 16 underflows under load, `high` none, and falls silent within 52 ms
PORTAUDIO_HINT = "install it (Debian, Ubuntu: apt-get install libportaudio2), then: voiceguide doctor"
DOCTOR_HINT = "plug one in or choose another by name, then: voiceguide doctor"


@dataclass(frozen=True, slots=True)
class Device:
    """One sound device. `inputs`, `outputs`: channels; `rate`: its own rate in hertz."""

    name: str
    host: str
    inputs: int
    outputs: int
    rate: int
    is_default_input: bool
    is_default_output: bool
    index: int


class Stream(Protocol):
    """An open device. `latency` in seconds from hand-over to air (or from air to hand-over)."""

    name: str
    rate: int
    latency: float

    def gaps(self) -> int:
        """How often the device ran dry since it was opened, as far as the driver tells."""

    def alive(self) -> bool:
        """Whether the driver still claims to run it (it may lie: count blocks as well)."""

    def close(self) -> None:
        """May block for seconds when the driver is stuck; safe to call twice."""


OnBlock = Callable[[bytes], None]  # int16, mono
Fill = Callable[[int], Samples]  # how many samples are wanted -> exactly so many, mono

_REFRESH_EVERY = 30.0  # seconds: a stream that works gives way for a look at the devices, but not all the time

_MUTE = ctypes.CFUNCTYPE(None)(lambda: None)  # variadic in C; one that takes nothing is safe under every C convention

_lock = threading.RLock()
_open: set[int] = set()
_room = {"wanted": False, "made": -_REFRESH_EVERY}


@contextlib.contextmanager
def _without_driver_noise() -> Iterator[None]:
    """ALSA and PortAudio print dozens of lines on standard error while they probe; a user must not have to read them."""
    if not sys.platform.startswith("linux"):
        yield
        return
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


@functools.cache
def _silence_alsa() -> None:
    """ALSA prints a line at every underrun, for as long as it runs; take its pen away."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):  # no libasound: nobody who prints
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_MUTE)


def _portaudio() -> Any:
    try:
        with _lock, _without_driver_noise():
            import sounddevice

            _silence_alsa()

    except (OSError, ImportError):
        raise DeviceError("no_portaudio", "The sound library PortAudio is missing", hint=PORTAUDIO_HINT) from None
    return sounddevice


def devices() -> tuple[Device, ...]:
    """Every sound device there is; empty when there is none. Raises DeviceError when PortAudio itself is missing."""
    sd = _portaudio()
    with _lock:
        hosts = sd.query_hostapis()
        heard, spoken = _default_index(sd, "input"), _default_index(sd, "output")
        return tuple(
            Device(
                name=str(found["name"]),
                host=str(hosts[found["hostapi"]]["name"]),
                inputs=int(found["max_input_channels"]),
                outputs=int(found["max_output_channels"]),
                rate=int(found["default_samplerate"]),
                is_default_input=index == heard,
                is_default_output=index == spoken,
                index=index,
            )
            for index, found in enumerate(sd.query_devices())
        )


def _default_index(sd: Any, kind: str) -> int:
    """The default device; on Windows that of WASAPI, because MME, PortAudio's own choice, hangs after sleep."""
    for host in sd.query_hostapis():
        if host["name"] == "Windows WASAPI" and host[f"default_{kind}_device"] >= 0:
            return int(host[f"default_{kind}_device"])
    return int(sd.default.device[0 if kind == "input" else 1])


def choose(found: tuple[Device, ...], name: str, kind: str) -> tuple[Device, ...]:
    """The devices to try, best first: by `name` (exact, then contained, any case) or the default, then the sound servers."""
    usable = [d for d in found if (d.inputs if kind == "input" else d.outputs) > 0]
    if name:
        wanted = name.casefold()
        exact = [d for d in usable if d.name.casefold() == wanted]
        near = [d for d in usable if wanted in d.name.casefold() and d not in exact]
        return tuple(sorted(exact + near, key=lambda d: (d not in exact, "WASAPI" not in d.host)))
    is_default = "is_default_input" if kind == "input" else "is_default_output"
    served = ("default", "pulse", "pipewire")  # a hw: device may be held by another program; these share it

    def rank(device: Device) -> int:
        if getattr(device, is_default):
            return 0
        return 1 if device.name in served else 2

    return tuple(sorted(usable, key=rank))


def refresh() -> bool:
    """Look for devices again. While a stream is open (it would be killed) this is False, and asks the others for room."""
    sd = _portaudio()
    with _lock:
        if _open:
            _room["wanted"] = time.monotonic() - _room["made"] > _REFRESH_EVERY
            return False
        _room.update(wanted=False, made=time.monotonic())
        with _without_driver_noise():
            sd._terminate()  # noqa: SLF001 - the only way that python-sounddevice offers (its issue 125)
            sd._initialize()  # noqa: SLF001
        return True


def room_wanted() -> bool:
    """Somebody whose device is gone waits for the list: whoever can spare half a second closes and opens again."""
    return bool(_room["wanted"])


class _OpenStream:
    """A running PortAudio stream that knows how to leave the count of open ones."""

    def __init__(self, stream: Any, device: Device, rate: int, dry: list[None]) -> None:
        self.name, self.rate, self.latency = device.name, rate, float(stream.latency)
        self._stream, self._dry = stream, dry
        _open.add(id(self))

    def gaps(self) -> int:
        return len(self._dry)

    def alive(self) -> bool:
        try:
            return bool(self._stream.active)
        except Exception:  # noqa: BLE001 - PortAudio raises its own error for a stream that is gone: that is the answer
            return False

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        with contextlib.suppress(Exception):  # a vanished device may refuse; there is nothing left to give back
            stream.abort(ignore_errors=True)
        with contextlib.suppress(Exception):
            stream.close(ignore_errors=True)
        # Only now: a stream whose close never returns stays counted, because terminating PortAudio under it crashes.
        _open.discard(id(self))


def open_input(name: str, on_block: OnBlock) -> Stream:
    """Open the microphone called `name` ("" the default) and hand every block to `on_block` in the device's thread.

    Tries 16 kHz, then the device's own rate, in mono, then with two channels (the first is taken). Raises DeviceError.
    """

    def attempt(sd: Any, device: Device, rate: int, channels: int, _dry: list[None]) -> Any:
        def callback(block: Any, _frames: int, _when: Any, _status: Any) -> None:
            data = bytes(block)
            on_block(data if channels == 1 else np.frombuffer(data, np.int16)[::channels].tobytes())

        settings = {"device": device.index, "channels": channels, "dtype": "int16", "samplerate": rate}
        settings["extra_settings"] = _extra(sd, device)
        sd.check_input_settings(**settings)
        return sd.RawInputStream(latency=LATENCY, callback=callback, **settings)

    return _open_first(name, "input", (EAR_RATE,), attempt)


def open_output(name: str, fill: Fill, latency: float | None = None) -> Stream:
    """Open the loudspeaker called `name` ("" the default); `fill` is asked for samples in the device's thread.

    `latency` in seconds; None: the device's own idea of a safe one.
    Opens at the device's own rate (playing is resampled once per clip, better than a driver does it). Raises DeviceError.
    """

    def attempt(sd: Any, device: Device, rate: int, channels: int, dry: list[None]) -> Any:
        def callback(block: Any, frames: int, _when: Any, status: Any) -> None:
            if status.output_underflow:
                dry.append(None)
            samples = fill(frames)
            block[:] = samples.tobytes() if channels == 1 else np.repeat(samples, channels).tobytes()

        settings = {"device": device.index, "channels": channels, "dtype": "int16", "samplerate": rate}
        settings["extra_settings"] = _extra(sd, device)
        sd.check_output_settings(**settings)
        return sd.RawOutputStream(latency=LATENCY if latency is None else latency, callback=callback, **settings)

    return _open_first(name, "output", (), attempt)


def _extra(sd: Any, device: Device) -> Any:
    """WASAPI refuses any rate but the mixer's unless it is told to convert."""
    return sd.WasapiSettings(auto_convert=True) if device.host == "Windows WASAPI" else None


def _open_first(name: str, kind: str, rates: tuple[int, ...], attempt: Callable[..., Any]) -> Stream:
    sd = _portaudio()
    candidates = choose(devices(), name, kind)
    if not candidates:
        raise _missing(name, kind)
    for device in candidates:
        most = device.inputs if kind == "input" else device.outputs
        for channels in (1, 2)[: max(1, min(2, most))]:
            for rate in dict.fromkeys((*rates, device.rate, 48_000, 44_100, 16_000)):
                with _lock, contextlib.suppress(sd.PortAudioError), _without_driver_noise():
                    dry: list[None] = []
                    stream = attempt(sd, device, rate, channels, dry)
                    try:
                        stream.start()
                    except sd.PortAudioError:
                        stream.close(ignore_errors=True)
                        raise
                    return _OpenStream(stream, device, rate, dry)
    what = "microphone" if kind == "input" else "loudspeaker"
    raise DeviceError(f"{what}_busy", f"The {what} could not be opened", hint=f"close what else uses it. {DOCTOR_HINT}")


def _missing(name: str, kind: str) -> DeviceError:
    what = "microphone" if kind == "input" else "loudspeaker"
    if name:
        return DeviceError(f"no_such_{what}", f"There is no {what} called {name!r}", hint=DOCTOR_HINT)
    return DeviceError(f"no_{what}", f"There is no {what}", hint=DOCTOR_HINT)


@dataclass(frozen=True, slots=True)
class House:
    """All that microphone and playback need from a sound system; tests fill it with devices that fail on demand."""

    open_input: Callable[[str, OnBlock], Stream] = open_input
    open_output: Callable[[str, Fill, float | None], Stream] = open_output
    refresh: Callable[[], bool] = refresh
    room_wanted: Callable[[], bool] = room_wanted


PORTAUDIO = House()

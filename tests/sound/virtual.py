"""A virtual sound card for one test: speak into its microphone, hear its loudspeaker, break it and bring it back.

    with VirtualSound() as card:
        card.speak(samples, rate)            # into the microphone; returns when all has been fed
        with card.recording() as heard:      # what the loudspeaker plays, 16 kHz mono, while the block runs
            ...
        heard.samples, heard.began, heard.level()

The environment of this process is pointed at the card for as long as the block runs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from voiceguide.runtime.ports import EAR_RATE, Samples

SCRIPT = Path(__file__).parents[2] / "scripts" / "virtual-sound"
_VARIABLES = ("PULSE_SERVER", "XDG_RUNTIME_DIR", "VOICEGUIDE_SOUND_DIR")
_HARMFUL = ("PULSE_LATENCY_MSEC", "PULSE_SINK", "PULSE_SOURCE")
_FORMAT = ("--raw", "--format=s16le", "--channels=1")
Times = npt.NDArray[np.float64]
_BLOCK = 160  # samples that `recording` reads at once: 10 ms


def available() -> bool:
    """Whether this machine has what a virtual card needs."""
    return all(shutil.which(tool) for tool in ("bash", "pulseaudio", "pactl", "parec", "paplay"))


class Heard:
    """What the loudspeaker played. `samples` mono int16 at 16 kHz; `stamps` monotonic seconds at the end of each 10 ms."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Samples, float]] = []
        self._more = threading.Event()

    def add(self, block: Samples, stamp: float) -> None:
        """The next 10 ms (recording thread)."""
        self._blocks.append((block, stamp))
        self._more.set()

    @property
    def samples(self) -> Samples:
        """All of it up to now."""
        blocks = [block for block, _ in self._blocks]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)

    @property
    def stamps(self) -> Times:
        """When each 10 ms came."""
        return np.array([stamp for _, stamp in self._blocks])

    def wait_for_seconds(self, seconds: float, patience: float = 20.0) -> None:
        """Until so much more has been recorded: the card's own time, not ours."""
        goal, until = len(self._blocks) + seconds * EAR_RATE / _BLOCK, time.monotonic() + patience
        while len(self._blocks) < goal:
            assert time.monotonic() < until, "the loudspeaker side delivers nothing"
            self._more.clear()
            self._more.wait(1.0)

    def level(self) -> Times:
        """Decibels re full scale, one value per 10 ms; -120 for digital silence."""
        return np.array([_decibels(block) for block, _ in self._blocks])

    def loud_times(self, above_db: float = -60.0) -> Times:
        """Monotonic times of the blocks above that level."""
        return np.array([stamp for block, stamp in self._blocks if _decibels(block) > above_db])


class VirtualSound:
    """A private sound server with a microphone `vmic` and a loudspeaker `vspk`."""

    def __init__(self, *, room_tone: bool = True) -> None:
        """`room_tone`: a very soft noise in the microphone, as every real one has (bit-exact zeros count as a fault)."""
        self._room_tone = room_tone
        self._directory = ""
        self._saved: dict[str, str | None] = {}
        self._tone: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._directory = tempfile.mkdtemp(prefix="voiceguide-sound-test.")
        self._saved = {name: os.environ.get(name) for name in (*_VARIABLES, *_HARMFUL)}
        os.environ["VOICEGUIDE_SOUND_DIR"] = self._directory
        os.environ["PULSE_SERVER"] = f"unix:{self._directory}/native"
        os.environ["XDG_RUNTIME_DIR"] = f"{self._directory}/run"
        for name in _HARMFUL:
            os.environ.pop(name, None)
        self._script("start")
        self._begin_tone()
        return self

    def __exit__(self, *_: object) -> None:
        self._end_tone()
        self._script("stop")
        for name, value in self._saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def speak(self, sound: Path | Samples, rate: int = EAR_RATE) -> None:
        """Play a WAV file or mono int16 samples into the microphone; returns when it is over."""
        if isinstance(sound, Path):
            subprocess.run(["paplay", "--device=vmic", str(sound)], check=True, timeout=600)
            return
        _run_pacat(sound, rate)

    @contextlib.contextmanager
    def echo(self, milliseconds: int = 60, volume: float = 0.3) -> Iterator[None]:
        """The microphone hears the loudspeaker while the block runs, as in a room: so much later and softer."""
        loop = ["module-loopback", "source=vspk.monitor", "sink=vmic", f"latency_msec={milliseconds}"]
        done = subprocess.run(["pactl", "load-module", *loop], check=True, capture_output=True, text=True, timeout=20)
        number = done.stdout.strip()
        listed = ["pactl", "list", "short", "sink-inputs"]
        streams = subprocess.run(listed, check=True, capture_output=True, text=True, timeout=20).stdout.splitlines()
        ours = max(int(line.split()[0]) for line in streams)
        subprocess.run(["pactl", "set-sink-input-volume", str(ours), f"{round(100 * volume)}%"], check=True, timeout=20)
        try:
            yield
        finally:
            subprocess.run(["pactl", "unload-module", number], check=False, timeout=20)

    def crash(self) -> None:
        """Kill the sound server as a fault would."""
        self._end_tone()
        self._script("crash")

    def revive(self) -> None:
        """Bring it back under the same address."""
        self._script("revive")
        self._begin_tone()

    @contextlib.contextmanager
    def recording(self) -> Iterator[Heard]:
        """Record the loudspeaker while the block runs (not across a crash)."""
        heard = Heard()
        parec = subprocess.Popen(
            ["parec", "--device=vspk.monitor", "--latency-msec=10", *_FORMAT, f"--rate={EAR_RATE}"],
            stdout=subprocess.PIPE,
        )
        began = threading.Event()

        def read() -> None:
            assert parec.stdout is not None
            while len(block := parec.stdout.read(2 * _BLOCK)) == 2 * _BLOCK:
                heard.add(np.frombuffer(block, np.int16), time.monotonic())
                began.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        began.wait(5.0)
        try:
            yield heard
        finally:
            parec.kill()
            parec.wait()
            reader.join(2.0)

    def _script(self, command: str) -> None:
        subprocess.run([str(SCRIPT), command], check=True, stdout=subprocess.DEVNULL, timeout=60)

    def _begin_tone(self) -> None:
        if not self._room_tone:
            return
        noise = np.random.default_rng(1).normal(0, 12, EAR_RATE * 2).astype(np.int16)  # about -69 dBFS
        loop = "import os, sys\nnoise = sys.stdin.buffer.read()\nwhile True: os.write(1, noise)"
        python = subprocess.Popen(
            [sys.executable, "-c", loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert python.stdin is not None
        python.stdin.write(noise.tobytes())
        python.stdin.close()
        self._tone = subprocess.Popen(_pacat(EAR_RATE), stdin=python.stdout, stderr=subprocess.DEVNULL)
        assert python.stdout is not None
        python.stdout.close()  # pacat's end ends the loop: it writes into nothing
        self._loop = python

    def _end_tone(self) -> None:
        if self._tone is not None:
            for process in (self._tone, self._loop):
                process.kill()
                process.wait()
            self._tone = None


def _decibels(block: Samples) -> float:
    return float(20 * np.log10(max(np.sqrt(np.mean(np.square(block.astype(np.float64)))) / 32768, 1e-6)))


def _pacat(rate: int) -> list[str]:
    return ["pacat", "--device=vmic", *_FORMAT, f"--rate={rate}"]


def _run_pacat(samples: Samples, rate: int) -> None:
    subprocess.run(_pacat(rate), input=samples.tobytes(), check=True, timeout=600)

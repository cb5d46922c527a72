"""The product itself on a (virtual) sound card: spoken to through the microphone, heard at the loudspeaker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sound.virtual import Heard, VirtualSound, available
from voiceguide.adapters.wavefile import read
from voiceguide.runtime import models

EXAMPLE = Path(__file__).parents[2] / "voiceguide" / "content" / "examples" / "en"
STOP = Path(__file__).parent / "data" / "please_stop.flac"
WHISPER = models.inspect(models.find("whisper-tiny.en")).health is models.Health.READY

pytestmark = [
    pytest.mark.sound,
    pytest.mark.skipif(not available(), reason="no PulseAudio on this machine"),
    pytest.mark.skipif(not WHISPER, reason="the whisper model is not fetched"),
]


class Running:
    """A guide in its own process, and what its trace says."""

    def __init__(self, folder: Path, heard: Heard) -> None:
        self._trace = folder / "trace.jsonl"
        self._heard = heard
        command = [sys.executable, "-m", "voiceguide", "run", "--data", str(folder / "data"), "--trace", str(self._trace)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def events(self) -> list[dict[str, Any]]:
        if not self._trace.exists():
            return []
        lines = self._trace.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_for(self, patience: float = 60.0, **wanted: str) -> dict[str, Any]:
        """Until the trace has an event with these values; the card's own time is the clock."""
        for _ in range(int(patience * 4)):
            for event in self.events():
                if all(event.get(key) == value for key, value in wanted.items()):
                    return event
            if self.process.poll() is not None:
                pytest.fail(f"the guide ended: {self.process.communicate()[0]}")
            self._heard.wait_for_seconds(0.25, patience=60.0)
        pytest.fail(f"never happened: {wanted}; seen: {self.events()[-8:]}")

    def speaks(self, since: int = 0, patience: float = 30.0) -> None:
        """Until the loudspeaker side is loud, counting from block `since`."""
        for _ in range(int(patience * 4)):
            level = self._heard.level()[since:]
            if len(level) and level.max() > -40.0:
                return
            self._heard.wait_for_seconds(0.25)
        pytest.fail("nothing was heard at the loudspeaker")

    def quiet_for(self, seconds: float, patience: float = 60.0) -> None:
        """Until the loudspeaker side has been silent for so long."""
        for _ in range(int(patience * 4)):
            level = self._heard.level()[-int(seconds * 100) :]
            if len(level) >= seconds * 100 and level.max() < -60.0:
                return
            self._heard.wait_for_seconds(0.25)
        pytest.fail("the guide never fell silent")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Running, VirtualSound, Heard]]:
    with VirtualSound() as card, card.recording() as heard:
        guide = Running(tmp_path, heard)
        yield guide, card, heard
        guide.process.kill()
        guide.process.wait()


def test_a_spoken_wish_is_answered_aloud_and_stop_silences_it(running: tuple[Running, VirtualSound, Heard]) -> None:
    guide, card, heard = running
    guide.wait_for(what="said", prompt="open.welcome", patience=120.0)
    guide.speaks()
    guide.quiet_for(1.5)

    before = len(heard.level())
    card.speak(read(EXAMPLE / "04.flac"))
    guide.wait_for(what="said", prompt="pause.ask")
    guide.speaks(since=before)

    card.speak(read(STOP))
    guide.wait_for(what="close")
    guide.quiet_for(2.0)
    assert [e["prompt"] for e in guide.events() if e["what"] == "said"][-1] == "close.ending"

    guide.process.send_signal(signal.SIGINT)
    assert guide.process.wait(timeout=20) == 0, "Ctrl-C ends cleanly"

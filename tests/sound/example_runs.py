"""Plays the shipped example of a language through the real recogniser and the real voice, and reads what the trace tells."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voiceguide.adapters.wavefile import read

LONGEST = 900.0  # seconds of real time: a slow machine with other work takes its time over an hour and a half of evening


@dataclass(frozen=True)
class Played:
    """What came of it. `said` are prompt ids in order, `heard` intents in order, `shown` the captions."""

    events: list[dict[str, Any]]
    shown: str
    out: Path

    @property
    def said(self) -> list[str]:
        return [event["prompt"] for event in self.events if event["what"] == "said"]

    @property
    def heard(self) -> list[str]:
        return [event["intent"] for event in self.events if event["what"] == "heard"]

    def at(self, prompt: str) -> list[float]:
        """Seconds from the start at which a prompt was said."""
        return [event["at"] for event in self.events if event["what"] == "said" and event["prompt"] == prompt]


def play(language: str, folder: Path) -> Played:
    """Run it as a user would; it must end by itself with exit code 0."""
    trace, out = folder / "trace.jsonl", folder / "out.wav"
    command = [sys.executable, "-m", "voiceguide", "run", "--example", "--language", language]
    ran = subprocess.run(
        [*command, "--trace", str(trace), "--out", str(out)], capture_output=True, text=True, timeout=LONGEST, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return Played(events, ran.stdout, out)


def in_order(wanted: list[str], seen: list[str]) -> bool:
    """Whether `wanted` occurs in `seen` in this order, other things between."""
    rest = iter(seen)
    return all(any(one == other for other in rest) for one in wanted)


# The story that every example tells: a pause agreed and kept, an extension, a good end.
STORY = [
    "pause.begin", "pause.ask", "pause.confirm", "pause.agreed", "return.call", "return.welcome",
    "return.rate_first", "return.rate_second", "return.choose_high", "pause.begin_more", "pause.ask_more", "pause.confirm",
    "pause.agreed", "return.call", "return.welcome", "return.rate_first", "return.rate_second", "return.choose",
    "return.go_on", "close.ending",
]  # fmt: skip


def assert_story(played: Played) -> None:
    """The whole story, each call at its agreed minute, nothing about safety, and the guide's voice on the second channel."""
    assert in_order(STORY, played.said), played.said
    assert played.said[-1] == "close.ending"
    assert not [prompt for prompt in played.said if prompt.startswith(("safety.", "help.", "trouble."))], played.said
    assert played.said.count("pause.begin") == 1, "nothing else was taken for a pause"
    assert not [event for event in played.events if event["what"].endswith("_failed")]
    calls, agreed = played.at("return.call"), played.at("pause.agreed")
    assert all(call % 60.0 == 0.0 for call in calls), "called at the agreed minute"
    assert len(calls) == len(agreed) == 2, (calls, agreed)
    assert all(call - promise >= 20 * 60.0 for call, promise in zip(calls, agreed, strict=True))
    said = _right_channel(played.out)
    assert float(np.abs(said.astype(np.float64)).max()) > 1000.0, "the guide was heard"


def _right_channel(file: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    import soundfile

    frames, _ = soundfile.read(file, dtype="int16", always_2d=True)
    assert frames.shape[1] == 2, "two aligned channels"
    assert len(read(file)), "and our own reader reads it"
    right: np.ndarray[Any, np.dtype[np.int16]] = frames[:, 1]
    return right

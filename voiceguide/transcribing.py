"""`voiceguide transcribe`: what the recogniser hears in a recording, with times, as it hears it. Nothing is kept."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import numpy as np

from voiceguide import settings
from voiceguide.core.effects import Patience
from voiceguide.errors import ModelError
from voiceguide.runtime.endpoint import SILENCES
from voiceguide.runtime.ports import EAR_RATE, FRAME, EarLost, Expectation, Utterance

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from voiceguide.runtime.ports import Ear, EarEvent, Samples

_AT_ONCE = EAR_RATE  # samples between two waits for the ear: its pipe must not hold an hour of sound


def transcribe_command(args: argparse.Namespace) -> int:
    """One line an utterance: seconds of its beginning and end, and its words; with --json one object."""
    from voiceguide.adapters.ears import make_ear
    from voiceguide.adapters.wavefile import read
    from voiceguide.runtime.models import choose_ear

    samples = read(args.file)
    chosen = settings.load()
    language = args.language or chosen.language
    choice = choose_ear(language, args.ear or chosen.ear)
    print(f"Heard by {choice.engine}: {choice.reason}", file=sys.stderr)
    show = _show_json if args.json else _show
    transcribe_samples(samples, make_ear(choice.engine, choice.folder, language), show)
    return 0


def transcribe(path: str | Path, ear: Ear) -> list[Utterance]:
    """All that is heard in a recording, in order. Opens and closes the ear. Raises DeviceError (the file), ModelError."""
    from voiceguide.adapters.wavefile import read

    found: list[Utterance] = []
    transcribe_samples(read(path), ear, found.append)
    return found


def transcribe_samples(samples: Samples, ear: Ear, heard: Callable[[Utterance], None]) -> None:
    """Feeds mono int16 at EAR_RATE as fast as the ear can take it; `heard` is told each utterance that has words.

    Opens and closes the ear. Raises ModelError when it cannot be opened or is lost on the way.
    """
    lost: list[str] = []

    def on_event(event: EarEvent) -> None:
        if isinstance(event, EarLost):
            lost.append(event.detail)
        elif isinstance(event, Utterance) and event.text:
            heard(event)

    # The silence after the last word: else the last utterance would never end.
    tail = np.zeros(round((SILENCES[Patience.OPEN].otherwise + 1.0) * EAR_RATE), np.int16)
    whole = np.concatenate([samples, tail])
    with contextlib.closing(ear):
        ear.open(on_event)
        ear.expect(Expectation("transcribe", patience=Patience.OPEN))
        for start in range(0, len(whole), _AT_ONCE):
            second = whole[start : start + _AT_ONCE]
            for at in range(0, len(second) - FRAME + 1, FRAME):
                ear.feed(second[at : at + FRAME])
            ear.settle()
            if lost:
                raise ModelError("ear_lost", f"The recogniser stopped: {lost[0]}", hint="voiceguide doctor")


def _show(utterance: Utterance) -> None:
    print(f"{utterance.began:8.2f} {utterance.ended:8.2f}  {utterance.text}", flush=True)


def _show_json(utterance: Utterance) -> None:
    line = {
        "began": round(utterance.began, 2),
        "ended": round(utterance.ended, 2),
        "text": utterance.text,
        "confidence": round(utterance.confidence, 3),
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)

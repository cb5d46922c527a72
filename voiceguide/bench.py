"""Figures, each with the command that makes it: one table for people, one JSON file for the next comparison.

A figure is measured on what is named beside it and nothing else; a part whose data is not given is left out, never guessed.
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import platform
import tempfile
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voiceguide import __version__
from voiceguide.benching_voice import Figure
from voiceguide.errors import UsageError
from voiceguide.runtime.ports import Samples

RESULTS = Path(".cache") / "bench"  # below the folder one stands in
FRAME_SECONDS = 0.01
ABOVE_FLOOR = 12.0  # decibels over the softest tenth of a channel: somebody speaks
QUIETEST = -55.0  # decibels re full scale: below it nobody speaks, however silent the rest
HANGOVER = 0.25  # seconds of quiet that end an utterance: longer than the gaps inside words, shorter than an endpoint
ANSWER_WITHIN = 5.0  # seconds: a later word of the guide is no answer
HOUR = 60  # lines of the rehearsed conversation, one a minute


Measure = Callable[["Path | None"], "list[Figure]"]


def answer_gaps(heard: Samples, said: Samples, rate: int) -> list[float]:
    """Seconds from each end of a partner's speech to the guide's answer, from two aligned channels (mono int16, shape (n,)).

    Only answers within ANSWER_WITHIN that nobody talked into count."""
    ends = [end for _, end in stretches(heard, rate)]
    begins = [begin for begin, _ in stretches(heard, rate)]
    gaps = []
    for onset, _ in stretches(said, rate):
        before = [end for end in ends if end <= onset]
        if not before or onset - before[-1] > ANSWER_WITHIN:
            continue
        if not any(before[-1] < begin < onset for begin in begins):
            gaps.append(onset - before[-1])
            ends = [end for end in ends if end > onset]  # the second sentence of an answer is no second answer
    return gaps


def stretches(samples: Samples, rate: int) -> list[tuple[float, float]]:
    """Where somebody speaks: (begin, end) in seconds, 10 ms fine, gaps below HANGOVER closed."""
    size = int(rate * FRAME_SECONDS)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    if not len(frames):
        return []
    level: npt.NDArray[np.float64] = 10 * np.log10(np.mean(frames**2, axis=1) / 32768.0**2 + 1e-12)
    loud = np.flatnonzero(level > max(float(np.percentile(level, 10)) + ABOVE_FLOOR, QUIETEST))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > HANGOVER / FRAME_SECONDS)
    first = loud[np.concatenate(([0], breaks + 1))]
    last = loud[np.concatenate((breaks, [len(loud) - 1]))]
    return [(float(begin) * FRAME_SECONDS, float(end + 1) * FRAME_SECONDS) for begin, end in zip(first, last, strict=True)]


def latency(data: Path | None) -> list[Figure]:
    """How soon the guide answers, from a file that `voiceguide run --audio … --out FILE.wav` wrote (not --fast)."""
    file = _given(data, "a file that voiceguide run --audio TALK --out FILE.wav wrote")
    heard, said, rate = _channels(file)
    gaps = answer_gaps(heard, said, rate)
    if not gaps:
        raise UsageError("no_answers", f"{file.name} has no answer of the guide in it", hint="record a talk with --out first")
    of = f"{file.name}, end of speech to first sound"
    return [Figure(f"answer, {name}", of, len(gaps), float(np.percentile(gaps, share)), "s")
            for name, share in (("median", 50), ("95th percentile", 95), ("slowest", 100))]


def times(data: Path | None) -> list[Figure]:
    """Spoken times of public suites: --data names the folder with time_cases.json."""
    from voiceguide.benching_times import time_cases

    folder = _given(data, "a folder with time_cases.json")
    rows = time_cases(folder / "time_cases.json" if folder.is_dir() else folder)
    return [Figure("times right", row.kind, row.cases, 100 * row.share, "%") for row in rows]


def understanding(_: Path | None) -> list[Figure]:
    """The labelled sentences that nothing was trained or tuned on (the corpus' test split)."""
    from voiceguide.benching_understanding import understanding_figures

    return understanding_figures()


def voice(data: Path | None) -> list[Figure]:
    """Raised voices against calm ones: --data names a folder with speech/, noise/, meeting/, acted/."""
    from voiceguide.adapters.pitch import SwiftPitch
    from voiceguide.adapters.wavefile import read
    from voiceguide.benching_voice import voice_figures

    folder = _given(data, "a folder with speech/ and noise/")
    try:
        return voice_figures(folder, read, SwiftPitch())
    except FileNotFoundError as trouble:
        raise UsageError("no_data", f"{folder} cannot be used ({trouble})", hint="name another folder with --data") from None


def rehearse(_: Path | None) -> list[Figure]:
    """An hour of conversation in virtual time: a sentence of ordinary talk each minute, and a pause in the middle."""
    from voiceguide.assembly import Content
    from voiceguide.dialogue import read_dialogue
    from voiceguide.rehearsing import Rehearsal, local_zone

    lines = [f"{60 * minute}\tAna\t{text}\n" for minute, text in enumerate(_corpus("ordinary")[:HOUR])]
    lines[HOUR // 2] = f"{60 * (HOUR // 2)}\tBen\t{_corpus('pause')[0]}\n"
    content = Content.load("en")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "hour.txt"
        file.write_text("".join(lines), "utf-8")
        spent = []
        for _again in range(3):
            begun = time.perf_counter()
            Rehearsal(content, read_dialogue(file), local_zone()).play()
            spent.append(time.perf_counter() - begun)
    return [Figure("rehearsal of 60 minutes", "ordinary talk with a pause, best of 3", len(lines), min(spent), "s")]


MEASURES: Mapping[str, Measure] = {
    "latency": latency, "times": times, "understanding": understanding, "voice": voice, "rehearse": rehearse,
}


def bench_command(args: argparse.Namespace) -> int:
    """`voiceguide bench WHAT [--data PATH]`: prints a table and writes .cache/bench/WHAT.json. Raises UsageError."""
    measure = MEASURES.get(args.what)
    if measure is None:
        what = f"there is no measure called {args.what}" if args.what else "say what to measure"
        raise UsageError("unknown_measure", what, hint=f"there are: {', '.join(MEASURES)}")
    figures = measure(Path(args.data) if args.data else None)
    print(as_table(figures))
    print(f"\nWritten to {_written(args.what, args.data, figures)}")
    return 0


def as_table(figures: Sequence[Figure]) -> str:
    """A Markdown table that also reads well as plain text."""
    rows = [("task", "measured on", "n", "value"),
            *((one.task, one.of, f"{one.n:.4g}", f"{one.value:.3g} {one.unit}") for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _written(what: str, data: str | None, figures: Sequence[Figure]) -> Path:
    file = RESULTS / f"{what}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    about = {"what": what, "data": Path(data).name if data else "", "version": __version__, "python": platform.python_version(),
             "machine": platform.machine(), "at": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    file.write_text(json.dumps({**about, "figures": [asdict(one) for one in figures]}, indent=1) + "\n", "utf-8")
    return file


def _given(data: Path | None, what: str) -> Path:
    if data is None or not data.exists():
        missing = "data is needed" if data is None else f"{data} is not there"
        raise UsageError("no_data", missing, hint=f"name {what} with --data")
    return data


def _channels(file: Path) -> tuple[Samples, Samples, int]:
    try:
        with wave.open(str(file), "rb") as source:
            if source.getnchannels() != 2 or source.getsampwidth() != 2:
                raise UsageError("not_two_channels", f"{file.name} has not two channels of 16 bits", hint="record it with --out")
            frames = np.frombuffer(source.readframes(source.getnframes()), np.int16).reshape(-1, 2)
            return frames[:, 0], frames[:, 1], source.getframerate()
    except (wave.Error, EOFError, OSError) as cause:
        raise UsageError("no_recording", f"{file.name} is no WAV file ({cause})", hint="record it with --out") from None


def _corpus(name: str, language: str = "en") -> list[str]:
    file = importlib.resources.files("voiceguide") / "content" / language / "corpus" / f"{name}.tsv"
    lines = file.read_text("utf-8").splitlines()
    return list(dict.fromkeys(line.split("\t")[0] for line in lines if line and not line.startswith("#")))

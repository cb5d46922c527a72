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
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from voiceguide import __version__
from voiceguide.benching_voice import Figure
from voiceguide.errors import UsageError

RESULTS = Path(".cache") / "bench"  # below the folder one stands in
HOUR = 60  # lines of the rehearsed conversation, one a minute


Measure = Callable[["Path | None"], "list[Figure]"]


def latency(data: Path | None) -> list[Figure]:
    """How soon the guide answers: from a talk recorded now, or from FILE.wav of `voiceguide run --audio … --out FILE.wav`."""
    from voiceguide.benching_latency import latency_figures

    return latency_figures(None if data is None else _given(data, "a file that voiceguide run --audio TALK --out FILE.wav wrote"))


def times(data: Path | None) -> list[Figure]:
    """Spoken times of public suites: --data names the folder with time_cases.json."""
    from voiceguide.benching_times import time_cases

    folder = _given(data, "a folder with time_cases.json")
    rows = time_cases(folder / "time_cases.json" if folder.is_dir() else folder)
    return [Figure("times right", row.kind, row.cases, 100 * row.share, "%") for row in rows]


def talk(data: Path | None) -> list[Figure]:
    """How often the guide would ask or act in ordinary talk: --data names a folder of conversations, one *.txt each."""
    from voiceguide.benching_talk import talk_figures

    return talk_figures(_given(data, "a folder of conversations (*.txt, with lines of speaker|words)"))


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


def mishearing(data: Path | None) -> list[Figure]:
    """Sentences said by synthetic voices, through noise and rooms into the product's own ear: --data names noise/ and room/."""
    from voiceguide.benching_mishearing import default_tools, mishearing_figures

    folder = _given(data, "a folder with noise/, room/ and speech/")
    with ExitStack() as stack:
        return mishearing_figures(folder, default_tools(stack))


def rehearse(_: Path | None) -> list[Figure]:
    """An hour of conversation in virtual time: a sentence of ordinary talk each minute, and a pause in the middle."""
    from voiceguide.assembly import Content
    from voiceguide.dialogue import read_dialogue
    from voiceguide.rehearsing import Rehearsal, local_zone

    lines = [f"{60 * minute}\tAna\t{text}\n" for minute, text in enumerate(_corpus("ordinary")[:HOUR])]
    lines[HOUR // 2] = f"{60 * (HOUR // 2)}\tBen\t{_corpus('pause')[0]}\n"
    content = Content.load("en", encoder=False)  # as `voiceguide rehearse` does where nobody asks for it
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
    "latency": latency, "times": times, "mishearing": mishearing, "talk": talk, "voice": voice, "rehearse": rehearse,
}
UNDERSTANDING = "understanding"  # has a table of its own, and can fail


def bench_command(args: argparse.Namespace) -> int:
    """`voiceguide bench WHAT [--data PATH] [--json FILE]`: prints a table, writes .cache/bench/WHAT.json and FILE. UsageError."""
    measure = MEASURES.get(args.what)
    if measure is None and args.what != UNDERSTANDING:
        what = f"there is no measure called {args.what}" if args.what else "say what to measure"
        raise UsageError("unknown_measure", what, hint=f"there are: {', '.join((*MEASURES, UNDERSTANDING))}")
    files = [RESULTS / f"{args.what}.json", *([Path(args.json).expanduser()] if args.json else [])]
    for file in files:
        _try_place(file)

    def write(rows: Sequence[object]) -> None:
        _write(files, args.what, args.data, rows)
        print(f"\nWritten to {' and '.join(map(str, files))}")

    if measure is None:
        from voiceguide.benching_understanding import understanding_command

        return understanding_command(args, write)
    figures = measure(Path(args.data) if args.data else None)
    print(as_table(figures))
    write([asdict(one) for one in figures])
    return 0


def as_table(figures: Sequence[Figure]) -> str:
    """A Markdown table that also reads well as plain text."""
    rows = [("task", "measured on", "n", "value"),
            *((one.task, one.of, f"{one.n:.4g}", f"{one.value:.3g} {one.unit}") for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _try_place(file: Path) -> None:
    """Whether `file` can be written is found out before minutes of work, not after. Raises UsageError."""
    there = file.exists()
    try:
        if file.parent == RESULTS:
            RESULTS.mkdir(parents=True, exist_ok=True)
        with file.open("ab"):
            pass
        if not there:
            file.unlink()
    except OSError as cause:
        raise _not_written(file, cause) from None


def _not_written(file: Path, cause: OSError) -> UsageError:
    return UsageError("not_written", f"{file} cannot be written ({cause.strerror})", hint="Choose another place")


def _write(files: Sequence[Path], what: str, data: str | None, rows: Sequence[object]) -> None:
    about = {"what": what, "data": Path(data).name if data else "", "version": __version__, "python": platform.python_version(),
             "machine": platform.machine(), "at": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    text = json.dumps({**about, "figures": rows}, indent=1) + "\n"
    for file in files:
        try:
            file.write_text(text, "utf-8")
        except OSError as cause:  # the disk filled up meanwhile; the table is on the screen
            raise _not_written(file, cause) from None


def _given(data: Path | None, what: str) -> Path:
    if data is None or not data.exists():
        missing = "data is needed" if data is None else f"{data} is not there"
        raise UsageError("no_data", missing, hint=f"name {what} with --data")
    return data


def _corpus(name: str, language: str = "en") -> list[str]:
    file = importlib.resources.files("voiceguide") / "content" / language / "corpus" / f"{name}.tsv"
    lines = file.read_text("utf-8").splitlines()
    return list(dict.fromkeys(line.split("\t")[0] for line in lines if line and not line.startswith("#")))

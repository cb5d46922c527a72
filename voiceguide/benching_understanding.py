"""`scripts/bench understanding`: one table of how well sentences nobody tuned to are understood, and whether it got worse.

Every sentence goes the whole way of the product (templates, rules, heads), once with the encoder and once without. A task
that falls behind the accepted run by more than noise (95% bootstrap interval of both) fails the bench. `--accept` makes the
figures of this run the measure, and writes them into the README with their date.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import numpy as np

from voiceguide.adapters.mpnet import ENCODER, MpnetEncoder
from voiceguide.core.figures import LEAST_CONFIDENCE
from voiceguide.corpus import Example, read_corpus
from voiceguide.language.contract import contract
from voiceguide.language.detecting import Detectors
from voiceguide.language.encoder import Encoder
from voiceguide.language.judgements import Meaning
from voiceguide.language.pack import Pack
from voiceguide.language.understanding import Understanding
from voiceguide.runtime.models import models_folder
from voiceguide.training import macro_f1

ACCEPTED = Path(__file__).parents[1] / "tests" / "figures" / "understanding.json"
README = Path(__file__).parents[1] / "README.md"
MARK = "<!-- bench:understanding -->"  # before and after the table in the README
RESAMPLES = 300
CONFIDENCE = 1.96
EVENING = datetime(2026, 3, 4, 19, 30, tzinfo=timezone.utc)  # a fixed evening: times in sentences are read against it
Grouping = Callable[[str], str]
T = TypeVar("T")
NEWS = 2.0  # seconds between two lines of progress


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `precision` and `recall` of `positive` against the rest; `f1` is the mean over labels; `noise`
    its standard error by resampling; `lexical` the same mean of the phrase rules alone."""

    task: str
    n: int
    positive: str
    precision: float
    recall: float
    f1: float
    noise: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Question:
    """A line of the table: sentences of `task`, answers and labels put into the same groups."""

    name: str
    task: str
    positive: str
    group: Grouping


# Those without which no talk is led; thirteen kinds more are told apart.
MAIN_ANSWERS = ("yes", "no", "not_yet", "repeat", "help", "stop")


def _same(label: str) -> str:
    return label


def _either(kept: str, other: str) -> Grouping:
    return lambda label: label if label == kept else other


QUESTIONS = (
    Question("pause", "pause", "pause", _same),
    Question("cue or none", "cue", "sign", lambda label: "none" if label == "none" else "sign"),
    Question("which cue", "cue", "flooding.explicit", _same),
    Question("apology owned", "apology", "hedged", lambda label: "owned" if label == "owned" else "hedged"),
    Question("which hedge", "apology", "owned", _same),
    Question("promise", "promise", "ok", _either("ok", "missing")),
    Question("promise, first missing", "promise", "ok", _same),
    Question("request", "request", "ok", _either("ok", "missing")),
    Question("request, first missing", "request", "ok", _same),
    Question("past as a weapon", "past", "weapon", _same),
    Question("safety", "safety", "risk", lambda label: "none" if label == "none" else "risk"),
    Question("safety, which", "safety", "self_harm", _same),
    Question("answers", "answer", "yes", _same),
    Question("answers, main six", "answer", "yes", lambda label: label if label in MAIN_ANSWERS else "other"),
    Question("ordinary talk", "talk", "quiet", lambda label: "quiet" if label == "none" else label),
)


def expectation_for(example: Example) -> str:
    """The step at which such a sentence is heard."""
    if example.task in ("apology", "promise", "request"):
        return example.task
    if example.task != "answer":
        return "talk"
    if example.label in contract().rails:
        return "yes_no"
    fitting = [name for name, hoped in contract().expectations.items() if example.label in hoped.intents]
    return next((name for name in fitting if not contract().expectations[name].free), fitting[0] if fitting else "yes_no")


def answer_of(task: str, meaning: Meaning) -> str:
    """The label that the product gave."""
    spoken = "none" if meaning.intent == "talk" else meaning.intent
    judged = meaning.promise if task == "promise" else meaning.request
    hedges = meaning.apology.hedges if meaning.apology is not None else ()
    if task == "answer" and spoken == "return_time":
        spoken = "more_time"  # one answer to the session: we need longer, with the time already named
    counting = [cue for cue in meaning.cues if cue.confidence >= LEAST_CONFIDENCE]
    return {
        "pause": "pause" if meaning.intent == "pause" else "none",
        "cue": meaning.cues[0].kind if meaning.cues else "none",
        "apology": hedges[0].kind if hedges else "owned",
        "promise": judged.missing[0] if judged is not None and judged.missing else "ok",
        "request": judged.missing[0] if judged is not None and judged.missing else "ok",
        "past": "weapon" if meaning.past_as_weapon else "none",
        "safety": meaning.safety or "none",
        "talk": "noticed" if counting or meaning.safety or meaning.intent == "pause" else "quiet",
    }.get(task, spoken)


def answers(understanding: Understanding, examples: Sequence[Example]) -> list[str]:
    """What the product answers to each sentence."""
    return [answer_of(e.task, understanding.understand(e.text, expectation_for(e), EVENING))
            for e in progress(examples, "sentences")]


def progress(things: Sequence[T], name: str) -> Iterator[T]:
    """The things one by one; on the error stream, how many are done, whenever two seconds have passed."""
    told = time.monotonic()
    for done, thing in enumerate(things):
        if time.monotonic() - told > NEWS:
            told = time.monotonic()
            print(f"\r{done} of {len(things)} {name}", end="", file=sys.stderr, flush=True)
        yield thing
    print("\r" + " " * 40, end="\r", file=sys.stderr, flush=True)


def table(language: str, split: str, encoder: Encoder) -> list[Row]:
    """The figures on one part of the corpus."""
    examples = read_corpus(language, (split,))
    pack = Pack.load(language)
    full = answers(Understanding(pack, Detectors.load(language, encoder)), examples)
    lexical = answers(Understanding(pack, Detectors.load(language)), examples)
    rows = []
    for question in QUESTIONS:
        chosen = [place for place, e in enumerate(examples) if e.task == question.task]
        if chosen:
            truth = [question.group(examples[place].label) for place in chosen]
            rows.append(row(question, truth, [question.group(full[place]) for place in chosen],
                            [question.group(lexical[place]) for place in chosen]))
    return rows


def row(question: Question, truth: Sequence[str], given: Sequence[str], lexical: Sequence[str]) -> Row:
    """One line from labels and answers."""
    wanted, got = np.array(truth), np.array(given)
    hits = float(np.sum((wanted == question.positive) & (got == question.positive)))
    chance = np.random.default_rng(0)  # the same resamples every time
    picks = [chance.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
    spread = float(np.std([macro_f1(list(wanted[pick]), list(got[pick])) for pick in picks]))
    return Row(
        task=question.name,
        n=len(truth),
        positive=question.positive,
        precision=round(hits / max(1.0, float(np.sum(got == question.positive))), 3),
        recall=round(hits / max(1.0, float(np.sum(wanted == question.positive))), 3),
        f1=round(macro_f1(truth, given), 3),
        noise=round(spread, 4),
        lexical=round(macro_f1(truth, lexical), 3),
    )


def fallen(rows: Sequence[Row], accepted: Mapping[str, Row]) -> list[str]:
    """Tasks that are worse than the accepted run by more than noise."""
    return [one.task for one in rows if (old := accepted.get(one.task)) is not None
            and one.f1 < old.f1 - CONFIDENCE * (one.noise**2 + old.noise**2) ** 0.5]


def read_accepted(path: Path) -> dict[str, Row]:
    """The previous accepted run, by task; empty where there is none."""
    if not path.is_file():
        return {}
    return {one["task"]: Row(**one) for one in json.loads(path.read_text(encoding="utf-8"))["rows"]}


def show(rows: Sequence[Row], accepted: Mapping[str, Row]) -> str:
    """The table as Markdown, below 80 columns. words: F1 of the rules alone; before: F1 of the accepted run."""
    cells = [["task", "n", "precision", "recall", "F1", "words", *(["before"] if accepted else [])]]
    for one in rows:
        old = accepted.get(one.task)
        numbers = [one.precision, one.recall, one.f1, one.lexical, *([old.f1 if old else None] if accepted else [])]
        cells.append([one.task, str(one.n), *("-" if number is None else f"{number:.3f}" for number in numbers)])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def into_readme(rendered: str, language: str) -> None:
    """The table between its marks, with today's date. Nothing happens where the product is installed without its README."""
    if not README.is_file():
        return
    text = README.read_text("utf-8")
    before, mark, rest = text.partition(MARK)
    _, closing, after = rest.partition(MARK)
    if mark and closing:
        day = datetime.now(timezone.utc).date().isoformat()
        told = f"Measured on {day} (`{language}`, split `test`); again with `scripts/bench understanding`.\n\n"
        README.write_text(f"{before}{MARK}\n{told}{rendered}\n{MARK}{after}", "utf-8")


def understanding_command(options: argparse.Namespace, write: Callable[[Sequence[object]], None]) -> int:
    """`bench understanding [--split S] [--accept]`: prints the table; 1 when a task fell behind the accepted run."""
    held_out = options.split == "test"
    accepted = read_accepted(ACCEPTED) if held_out else {}
    rows = table("en", options.split, MpnetEncoder(models_folder() / ENCODER).open())
    print(show(rows, accepted))
    write([asdict(one) for one in rows])
    if options.accept and held_out:
        ACCEPTED.parent.mkdir(parents=True, exist_ok=True)
        whole = {"split": options.split, "language": "en", "rows": [asdict(one) for one in rows]}
        ACCEPTED.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        into_readme(show(rows, {}), "en")
        return 0
    worse = fallen(rows, accepted)
    if worse:
        print("\nWorse than the accepted run, beyond noise: " + ", ".join(worse))
    return 1 if worse else 0

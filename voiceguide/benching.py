"""`scripts/bench understanding`: one table of how well sentences nobody tuned to are understood, and whether it got worse.

Every sentence goes the whole way of the product (templates, rules, heads), once with the encoder and once without. A task
that falls behind the accepted run by more than noise (95% bootstrap interval of both) fails the bench.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from voiceguide.corpus import SPLITS, Example, read_corpus
from voiceguide.errors import VoiceguideError
from voiceguide.language.contract import contract
from voiceguide.language.detecting import Detectors
from voiceguide.language.judgements import Meaning
from voiceguide.language.pack import Pack
from voiceguide.language.understanding import Understanding
from voiceguide.runtime.models import models_folder
from voiceguide.training import macro_f1

ACCEPTED = Path(__file__).parents[1] / "tests" / "figures" / "understanding.json"
RESAMPLES = 300
CONFIDENCE = 1.96
NOW = datetime(2026, 3, 4, 19, 30, tzinfo=timezone.utc)  # a fixed evening: times in sentences are read against it
Grouping = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `precision` and `recall` of `positive` against the rest; `f1` is the mean over labels; `noise`
    its standard error by resampling; `lexical` the same mean without the encoder."""

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
    return {
        "pause": "pause" if meaning.intent == "pause" else "none",
        "cue": meaning.cues[0].kind if meaning.cues else "none",
        "apology": hedges[0].kind if hedges else "owned",
        "promise": judged.missing[0] if judged is not None and judged.missing else "ok",
        "request": judged.missing[0] if judged is not None and judged.missing else "ok",
        "past": "weapon" if meaning.past_as_weapon else "none",
        "safety": meaning.safety or "none",
    }.get(task, spoken)


def answers(understanding: Understanding, examples: Sequence[Example]) -> list[str]:
    """What the product answers to each sentence."""
    return [answer_of(e.task, understanding.understand(e.text, expectation_for(e), NOW)) for e in examples]


def table(language: str, split: str, models: Path | None) -> list[Row]:
    """The figures on one part of the corpus."""
    examples = read_corpus(language, (split,))
    pack = Pack.load(language)
    full = answers(Understanding(pack, Detectors.load(language, models)), examples)
    lexical = answers(Understanding(pack, Detectors.load(language, None)), examples)
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
    """The table as Markdown, ready for the README."""
    lines = ["| task | n | precision | recall | F1 (macro) | words only | accepted |", "|---|---|---|---|---|---|---|"]
    for one in rows:
        old = accepted.get(one.task)
        lines.append(f"| {one.task} | {one.n} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} | {one.lexical:.3f} | "
                     + (f"{old.f1:.3f} |" if old is not None else "- |"))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when a task has fallen behind the accepted run beyond noise."""
    parser = argparse.ArgumentParser(prog="scripts/bench understanding", description="how well sentences are understood")
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", choices=SPLITS, default="test", help="the heads were fitted on train and dev")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--accept", action="store_true", help="these figures are the new measure")
    options = parser.parse_args(arguments)
    accepted = read_accepted(ACCEPTED) if options.split == "test" else {}
    try:
        rows = table(options.language, options.split, models_folder())
    except VoiceguideError as trouble:
        print(trouble)
        return trouble.exit_code
    whole = {"split": options.split, "language": options.language, "rows": [asdict(one) for one in rows]}
    print(json.dumps(whole) if options.json else show(rows, accepted))
    if options.accept:
        ACCEPTED.parent.mkdir(parents=True, exist_ok=True)
        ACCEPTED.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        return 0
    worse = fallen(rows, accepted)
    if worse:
        print("worse than the accepted run, beyond noise: " + ", ".join(worse))
    return 1 if worse else 0


if __name__ == "__main__":
    raise SystemExit(main())

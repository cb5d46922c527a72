"""How well sentences are understood that nothing was trained or tuned on: the corpus' test split, one row a task.

Measured through the whole of understanding, as a household meets it: templates, detectors, encoder. A task is scored by
macro-F1 over its labels (every label counts the same, however rare; where several kinds were found, the labelled one among
them is right), and where one label means "nothing to see", false alarms
are a row of their own: on ordinary talk they are the whole problem.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from voiceguide.assembly import Content
from voiceguide.benching_voice import Figure
from voiceguide.language.judgements import Meaning

EVENING = datetime(2026, 3, 10, 19, 40)  # noqa: DTZ001  # local by design; a Tuesday
NOTHING = "none"

# The question that is being answered when a sentence of the task is heard; "" is free talk.
HOPED: Mapping[str, str] = {"apology": "apology", "promise": "promise", "request": "request"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One line of the corpus."""

    text: str
    task: str
    label: str


def labelled(language: str = "en", split: str = "test") -> list[Labelled]:
    """Every labelled sentence of one split. Lines: text, task, label, split, tags; separated by tabs."""
    found = []
    folder = importlib.resources.files("voiceguide") / "content" / language / "corpus"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        for line in file.read_text("utf-8").splitlines():
            columns = line.split("\t")
            if len(columns) >= 4 and columns[3] == split:
                found.append(Labelled(columns[0], columns[1], columns[2]))
    return found


def understanding_figures(language: str = "en") -> list[Figure]:
    """A row for each task of the corpus: macro-F1, and false alarms in per cent of the sentences labelled `none`."""
    content = Content.load(language)
    by_task: dict[str, list[Labelled]] = {}
    for one in labelled(language):
        by_task.setdefault(one.task, []).append(one)
    figures: list[Figure] = []
    for task, sentences in by_task.items():
        if task not in READ:
            continue
        pairs = [(one.label, _read(task, one, content)) for one in sentences]
        figures.append(Figure(f"{task}, macro-F1", "corpus, test split", len(pairs), macro_f1(pairs), ""))
        quiet = [guess for label, guess in pairs if label == NOTHING]
        if quiet:
            alarms = 100 * sum(guess != NOTHING for guess in quiet) / len(quiet)
            figures.append(Figure(f"{task}, false alarms", "corpus, test split", len(quiet), alarms, "%"))
    return figures


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 over every label that occurs; pairs are (label, guess)."""
    labels = sorted({label for label, _ in pairs})
    return sum(_f1(pairs, label) for label in labels) / len(labels) if labels else 0.0


def _f1(pairs: Iterable[tuple[str, str]], label: str) -> float:
    pairs = list(pairs)
    hits = sum(true == label == guess for true, guess in pairs)
    return 2 * hits / max(sum(true == label for true, _ in pairs) + sum(guess == label for _, guess in pairs), 1)


def _read(task: str, one: Labelled, content: Content) -> str:
    hoped = HOPED.get(task) or (_hoping_for(one.label, content) if task == "answer" else None)
    return READ[task](content.understanding.understand(one.text, hoped, EVENING), one.label)


def _hoping_for(intent: str, content: Content) -> str | None:
    """A step at which this answer is hoped for, if there is one: an answer is only an answer to a question."""
    hopes = content.pack.contract.expectations
    return next((name for name, hoped in hopes.items() if intent in hoped.intents), None)


def _hedge(meaning: Meaning, label: str) -> str:
    if meaning.apology is None:
        return NOTHING
    kinds = [hedge.kind for hedge in meaning.apology.hedges]
    return "owned" if meaning.apology.owned else label if label in kinds else kinds[0] if kinds else "vague"


def _missing(judged: object, label: str) -> str:
    missing: Sequence[str] = getattr(judged, "missing", ("nothing",))
    return "ok" if not missing else label if label in missing else missing[0]


def _cue(meaning: Meaning, label: str) -> str:
    kinds = [cue.kind for cue in meaning.cues]
    return NOTHING if not kinds else label if label in kinds else kinds[0]


READ: Mapping[str, Callable[[Meaning, str], str]] = {
    "answer": lambda meaning, _: NOTHING if meaning.intent == "talk" else meaning.intent,
    "pause": lambda meaning, _: "pause" if meaning.intent == "pause" else NOTHING,
    "cue": _cue,
    "apology": _hedge,
    "promise": lambda meaning, label: _missing(meaning.promise, label),
    "request": lambda meaning, label: _missing(meaning.request, label),
    "past": lambda meaning, _: "weapon" if meaning.past_as_weapon else NOTHING,
    "safety": lambda meaning, _: meaning.safety or NOTHING,
}

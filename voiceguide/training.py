"""`scripts/train`: labelled sentences to heads. No chance anywhere, so every run on a machine gives the same files.

Thresholds come from five-fold predictions on train and dev (every sentence judged by a head that never saw it); the heads
that ship are then fitted on both. The test part is never read here, except to keep its sentences out of every other task.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voiceguide.adapters.mpnet import ENCODER, SMALL, MpnetEncoder
from voiceguide.corpus import Example, read_corpus
from voiceguide.errors import ModelError
from voiceguide.language import cues, safety
from voiceguide.language.classifier import Doubles, Head, fit, meaning_features
from voiceguide.language.detecting import PROBE_NUMBERS, Detectors, load_rules
from voiceguide.language.encoder import TAPS, WIDTH, Encoder, Floats
from voiceguide.language.heads import Heads
from voiceguide.runtime.models import models_folder

Texts = dict[str, Floats]
TALK = "talk"  # ordinary talk: no task of its own, but nothing in the others
TASKS = ("answer", "apology", "cue", "past", "pause", "promise", "request", "safety")
FOLDS = 5
DRILL = "drill"
JITTER = 1e-6  # keeps two sentences with the same features apart, numerically
PENALTY = 1e-3
SUPPORT = {"pause": cues.is_supported, "safety": safety.is_supported}
# How much a borrowed sentence counts beside one of the task's own, and how many are taken (one in so many, by a hash).
# Light ones make the own look-alikes easier to tell and ordinary talk worse: at the threshold for 2 of 100 look-alikes, a
# weight of 0.05 let 7 of 100 plain sentences fire. So they count, and thresholds answer for them as well.
BORROWED_WEIGHT = 0.7
BORROWED_SHARE = 2
# Sentences of another task that are surely nothing for this one.
# (Not: withdrawal and "fine" as no cue, quarrel as no past: there the same words carry both meanings.)
BORROWED: Mapping[str, tuple[tuple[str, frozenset[str]], ...]] = {
    "pause": (("apology", frozenset()), ("promise", frozenset()), ("request", frozenset()),
              ("past", frozenset()), ("safety", frozenset(("none",)))),
    "cue": (("promise", frozenset()), ("request", frozenset(("ok",))), ("apology", frozenset(("owned",))),
            ("safety", frozenset(("none",))), ("answer", frozenset(("yes", "no", "done", "here", "ready", "repeat")))),
    "past": (("promise", frozenset()), ("request", frozenset()), ("apology", frozenset(("owned",))),
             ("pause", frozenset())),
    "safety": (("pause", frozenset()), ("cue", frozenset()), ("apology", frozenset()),
               ("promise", frozenset()), ("request", frozenset()), ("past", frozenset(("none",))), ("answer", frozenset())),
}


@dataclass(frozen=True)
class Task:
    """The sentences of one question with their weight. `own`: figures look at these alone, not at borrowed ones or at drill
    (sentences written to teach one thing, which are easier than what people say). `talk`: ordinary talk, in which nothing
    may fire; thresholds answer for it."""

    name: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    targets: npt.NDArray[np.int64]
    weights: Floats
    own: npt.NDArray[np.bool_]
    borrowed: npt.NDArray[np.bool_]
    talk: npt.NDArray[np.bool_]
    supported: npt.NDArray[np.bool_]


def gather(name: str, examples: Sequence[Example], forbidden: frozenset[str], plain: Detectors) -> Task:
    """The task's data without any sentence of the test part."""
    own = {e.text: e.label for e in examples if e.task == name and e.text not in forbidden}
    drill = {e.text for e in examples if DRILL in e.tags}
    labels = tuple(sorted(set(own.values())))
    rows = [(text, label, 1.0, text not in drill, False) for text, label in own.items()]
    for other, allowed in BORROWED.get(name, ()):
        borrowed = dict.fromkeys(e.text for e in examples if e.task == other and (not allowed or e.label in allowed))
        rows += [(text, "none", BORROWED_WEIGHT, False, True) for text in borrowed
                 if text not in own and text not in forbidden and zlib.crc32(text.encode()) % BORROWED_SHARE == 0]
        own |= dict.fromkeys(borrowed, "none") | own
    if name in BORROWED:
        talk = dict.fromkeys(e.text for e in examples if e.task == TALK)
        rows += [(text, "none", 1.0, False, True) for text in talk if text not in own and text not in forbidden]
    texts, wanted, weights, is_own, is_borrowed = zip(*rows, strict=True)
    ordinary = frozenset(e.text for e in examples if e.task == TALK)
    return Task(name, labels, texts, np.array([labels.index(label) for label in wanted]),
                np.array(weights, dtype=np.float32), np.array(is_own), np.array(is_borrowed),
                np.array([text in ordinary for text in texts]),
                np.array([SUPPORT[name](plain.read(text).found) if name in SUPPORT else False for text in texts]))


def embed_all(encoder: Encoder, texts: Sequence[str], cache: Path | None) -> Texts:
    """Spoken text -> the encoder's answer; a cache of what was embedded makes the second run quick."""
    known: Texts = {}
    if cache is not None and cache.is_file():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["texts"].tolist(), stored["layers"], strict=True))
    missing = [text for text in texts if text not in known]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each sentence by itself, so the number of threads changes nothing
        known |= dict(zip(missing, pool.map(encoder.layers, missing), strict=True))
    if cache is not None and missing:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, texts=np.array(list(known)), layers=np.stack(list(known.values())))
    return {text: known[text] for text in texts}


class Trainer:
    """Features of every sentence, once; then a head, folds and thresholds for each task."""

    def __init__(self, language: str, models: Path, cache: Path | None) -> None:
        """Raises ModelError where the encoder's weights are missing, ContentError for a broken corpus or rules."""
        lexicon, rules, self._probe = load_rules(language)
        self._plain = Detectors(lexicon, rules)
        self._encoder = MpnetEncoder(models / ENCODER).open()
        examples = read_corpus(language, ("train", "dev"))
        forbidden = frozenset(e.text for e in read_corpus(language, ("test",)))
        self.tasks = [gather(name, examples, forbidden, self._plain) for name in TASKS]
        readings = {text: lexicon.read(text) for task in self.tasks for text in task.texts}
        layers = embed_all(self._encoder, sorted({r.spoken for r in readings.values()}), cache)
        mean = sum(layers.values(), np.zeros((len(TAPS), WIDTH), dtype=np.float32)) / max(1, len(layers))
        self.centre = mean.astype(np.float16).astype(np.float32)  # as it will be stored
        self._features = {text: self._plain.features(r, meaning_features(layers[r.spoken], self.centre))
                          for text, r in readings.items()}

    def features(self, task: Task) -> Floats:
        """(sentences, features) of a task."""
        return np.stack([self._features[text] for text in task.texts])

    def learn(self, task: Task) -> tuple[Head, dict[str, float], str]:
        """One head, its thresholds, and its five-fold figures as a line."""
        space = Space(self.features(task))
        unseen = judged_unseen(task, space, PENALTY)
        chosen = choose(task, unseen)
        weights, bias = fit(space.rows, task.targets, len(task.labels), PENALTY, task.weights)
        return Head(task.labels, space.back(weights), bias.astype(np.float32)), chosen, line(task, unseen, chosen)

    def train(self) -> Heads:
        """All heads and thresholds; prints the five-fold figures."""
        heads: dict[str, Head] = {}
        thresholds: dict[str, dict[str, float]] = {}
        # Two tasks side by side, each on one thread (see scripts/train), the largest first; a child sees what is loaded here.
        largest = sorted(self.tasks, key=lambda task: -len(task.texts))
        with ProcessPoolExecutor(2, multiprocessing.get_context("fork"), _inherit, (self,)) as pool:
            done = {pool.submit(_learn, self.tasks.index(task)): task.name for task in largest}
            for one in as_completed(done):
                heads[done[one]], thresholds[done[one]], told = one.result()
                print(told, flush=True)
        probe = tuple(round(float(x), 6) for x in self._encoder.embed(self._probe)[:PROBE_NUMBERS])
        return Heads(self._plain.rules.names, heads, self.centre, thresholds, probe)


_inherited: list[Trainer] = []  # in a child: the parent's trainer, which is too large to be sent


def _inherit(trainer: Trainer) -> None:
    _inherited.append(trainer)


def _learn(number: int) -> tuple[Head, dict[str, float], str]:
    trainer = _inherited[0]
    return trainer.learn(trainer.tasks[number])


class Space:
    """The span of a task's sentences: as many numbers a sentence as there are sentences, and not one of seven thousand lost.

    With a quadratic penalty the best weights are a mix of the sentences' own features, so fitting here is exact and quick.
    """

    def __init__(self, features: Floats) -> None:
        self._features = features.astype(np.float64)
        alike = self._features @ self._features.T
        alike[np.diag_indices_from(alike)] += JITTER
        self.rows: Doubles = np.linalg.cholesky(alike)

    def back(self, weights: Doubles) -> Floats:
        """Weights (labels, sentences) of this space as weights (labels, features)."""
        mixed = np.linalg.solve(self.rows.T, weights.T)
        return np.asarray((self._features.T @ mixed).T, dtype=np.float32)


def judged_unseen(task: Task, space: Space, penalty: float) -> Floats:
    """(sentences, labels): probabilities by heads that did not see the sentence; folds by a hash of the text."""
    fold = np.array([zlib.crc32(text.encode()) % FOLDS for text in task.texts])
    answers = np.zeros((len(task.texts), len(task.labels)), dtype=np.float32)
    for number in range(FOLDS):
        seen = fold != number
        weights, bias = fit(space.rows[seen], task.targets[seen], len(task.labels), penalty, task.weights[seen])
        scores = space.rows[~seen] @ weights.T + bias
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        answers[~seen] = raised / raised.sum(axis=1, keepdims=True)
    return answers


def choose(task: Task, unseen: Floats) -> dict[str, float]:
    """Thresholds of a task, by what a mistake costs there (domain 2.2; issues 3 and 4), look-alikes and plain talk apart."""
    own, column = task.own, {label: unseen[task.own, place] for place, label in enumerate(task.labels)}
    truth, backed = task.targets[own], task.supported[own]

    def is_label(label: str) -> npt.NDArray[np.bool_]:
        return np.asarray(truth == task.labels.index(label))

    if task.name == "pause":
        wish, wanted = column["pause"], is_label("pause")
        # A suggestion below figures.SURE_ENOUGH asks nothing by itself, so a wish missed costs more than one too many.
        return {"pause": max(precise(wish[~backed], wanted[~backed], 0.92), plain(task, unseen, 0.003)),
                "supported": max(precise(wish[backed], wanted[backed], 0.9), plain(task, unseen, 0.002, backed=True))}
    if task.name == "cue":
        # Told from "any" on; only what is "sure" counts towards a question, so that an evening of plain talk is left alone.
        return {"any": balanced(1 - column["none"], ~is_label("none")), "sure": plain(task, unseen, 0.002)}
    if task.name == "apology":
        return {"owned": kept(column["owned"], is_label("owned"), 0.965)}
    if task.name == "safety":
        risk, harmless = 1 - column["none"], is_label("none")
        # Issue 4 wants recall .90 at 2 of 100 look-alikes; five-fold they are not to be had together. Ending a talk for
        # nothing is the rarer harm of the two only if it stays away from plain talk: 1 of 1000 there.
        return {"sure": max(quiet(np.where(backed, 0, risk), harmless, 0.015), plain(task, unseen, 0.001)),
                "doubt": max(quiet(risk, harmless, 0.1), plain(task, unseen, 0.004)),
                "supported": max(quiet(np.where(backed, risk, 0), harmless, 0.02), plain(task, unseen, 0.002, backed=True))}
    if task.name not in ("promise", "request", "past"):
        return {}
    positive = {"promise": "ok", "request": "ok", "past": "weapon"}[task.name]
    least = balanced(column[positive], is_label(positive))
    return {positive: max(least, plain(task, unseen, 0.0125)) if task.name == "past" else least}


def plain(task: Task, unseen: Floats, share: float, *, backed: bool = False) -> float:
    """The lowest threshold at which at most `share` of the utterances of ordinary talk fire; `backed`: those with a phrase."""
    ordinary = task.talk if task.talk.any() else task.borrowed
    risk = 1 - unseen[ordinary, task.labels.index("none")]
    return round(float(np.quantile(np.where(task.supported[ordinary] == backed, risk, 0), 1 - share)), 3)


def precise(scores: Floats, truth: npt.NDArray[np.bool_], least: float) -> float:
    """The lowest threshold at which `least` of what is found is right."""
    for at in np.linspace(0.1, 0.95, 86):
        found = scores >= at
        if found.any() and truth[found].mean() >= least:
            return round(float(at), 3)
    return 0.95


def kept(scores: Floats, truth: npt.NDArray[np.bool_], share: float) -> float:
    """The highest threshold that still keeps `share` of the true ones."""
    return round(min(0.6, float(np.quantile(scores[truth], 1 - share))), 3)


def quiet(scores: Floats, harmless: npt.NDArray[np.bool_], share: float) -> float:
    """The lowest threshold at which at most `share` of the harmless ones fire."""
    return round(max(0.05, float(np.quantile(scores[harmless], 1 - share))), 3)


def balanced(scores: Floats, truth: npt.NDArray[np.bool_]) -> float:
    """The threshold with the best mean of both F1; the middle of the best stretch, which is the least chancy."""
    steps = np.linspace(0.25, 0.75, 51)
    figures = np.array([macro_f1([str(t) for t in truth], [str(s) for s in scores >= at]) for at in steps])
    best = np.flatnonzero(figures >= figures.max() - 1e-9)
    return round(float(steps[best[len(best) // 2]]), 3)


def macro_f1(truth: Sequence[str], answers: Sequence[str]) -> float:
    """The mean F1 over the labels that occur."""
    wanted, given = np.array(truth), np.array(answers)
    figures = []
    for label in sorted(set(truth)):
        hits = float(np.sum((wanted == label) & (given == label)))
        figures.append(2 * hits / max(1.0, float(np.sum(wanted == label) + np.sum(given == label))))
    return float(np.mean(figures))


def line(task: Task, unseen: Floats, thresholds: Mapping[str, float]) -> str:
    """One row of the table that training prints; on sentences of the task itself, judged unseen."""
    truth = [task.labels[t] for t in task.targets[task.own]]
    answers = [task.labels[a] for a in unseen[task.own].argmax(axis=1)]
    right = float(np.mean([t == a for t, a in zip(truth, answers, strict=True)]))
    numbers = " ".join(f"{name} {value}" for name, value in thresholds.items())
    if task.name in ("pause", "safety", "past", "cue"):
        signs = 1 - unseen[task.own, task.labels.index("none")]
        least, there = next(iter(thresholds.values())), np.array(truth) != "none"
        numbers += f"  found {np.mean(signs[there] >= least):.3f}, of look-alikes {np.mean(signs[~there] >= least):.3f}"
    return f"{task.name:9} n {len(truth):5}  right {right:.3f}  macro F1 {macro_f1(truth, answers):.3f}  {numbers}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, print the figures, write the heads."""
    parser = argparse.ArgumentParser(prog="scripts/train", description="labelled sentences -> content/<language>/heads")
    parser.add_argument("--language", default="en")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "content")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parents[1] / ".cache" / f"embeddings-{Path(SMALL).stem}.npz")
    parser.add_argument("--no-cache", action="store_true", help="embed everything again")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        trainer = Trainer(options.language, models_folder(), None if options.no_cache else options.cache)
    except ModelError as trouble:
        print(trouble)
        return trouble.exit_code
    trainer.train().save(options.out / options.language / "heads")
    print(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Small trained heads: what an utterance probably is, from its meaning (the encoder's numbers), its rules, clauses and words.

A head is a logistic regression per question ("pause or not", "which hedge"). Figures: `scripts/bench understanding`.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from voiceguide.language.clauses import STOP, Clause, Utterance
from voiceguide.language.encoder import TAPS, WIDTH, Floats

Doubles = npt.NDArray[np.float64]
Loss = Callable[[Doubles], "tuple[float, Doubles]"]
TOLERANCE = 2e-4

# Hashed one- and two-word strings. 2 ** 12 places keep all heads together below one megabyte (issue 4).
PLACES = 4096
PERSONS = ("i", "you", "we", "it", "they", "other", "")
# Weight of a block of features against the others under one common penalty; chosen on the development part.
SCALES = {"meaning": 7.0, "rules": 1.5, "pairs": 0.7, "clauses": 0.5, "words": 2.0}


@dataclass(frozen=True, slots=True)
class Head:
    """One question: `labels` and, for each, the weights of the features (`len(labels)`, features) and a bias."""

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats

    def probabilities(self, features: Floats) -> dict[str, float]:
        """Label -> probability; they add up to 1."""
        scores = self.weights @ features + self.bias
        raised = np.exp(scores - scores.max())
        return {label: float(p) for label, p in zip(self.labels, raised / raised.sum(), strict=False)}


def lexical_features(utterance: Utterance, clauses: Sequence[Clause], found: Mapping[str, object],
                     rules: Sequence[str]) -> Floats:
    """Rules that matched, every two that matched together, shape of the clauses, and hashed words: shape (sum of `blocks`,)."""
    flags = np.array([name in found for name in rules], dtype=np.float32)
    together = np.outer(flags, flags)[np.triu_indices(len(rules), 1)] * np.float32(SCALES["pairs"])
    flags *= np.float32(SCALES["rules"])
    shape = clause_features(utterance, clauses) * np.float32(SCALES["clauses"])
    words = word_features(utterance) * np.float32(SCALES["words"])
    return np.concatenate([flags, together, shape, words])


def meaning_features(layers: Floats, centre: Floats) -> Floats:
    """The encoder's (len(TAPS), WIDTH) as one row: how each tap differs from `centre`, the mean of all sentences, scaled to
    one length, so that every tap counts alike."""
    apart = layers - centre
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
    return cast("Floats", apart.reshape(-1) * np.float32(SCALES["meaning"] / len(TAPS) ** 0.5))


def blocks(rules: int) -> tuple[int, ...]:
    """Sizes of the blocks of features, in order."""
    return (*(WIDTH for _ in TAPS), rules, rules * (rules - 1) // 2, clause_size(), PLACES)


def clause_size() -> int:
    """How many numbers `clause_features` gives."""
    return len(PERSONS) * 4 + 6


def clause_features(utterance: Utterance, clauses: Sequence[Clause]) -> Floats:
    """Who does what: for each person whether it is a subject, first, with a modal, negated; then length and openings."""
    values = np.zeros((len(PERSONS), 4), dtype=np.float32)
    for place, clause in enumerate(clauses):
        row = values[PERSONS.index(clause.subject)]
        row[0] = 1
        row[1] = max(row[1], float(place == 0))
        row[2] = max(row[2], float(bool(clause.modal)))
        row[3] = max(row[3], float(clause.negated))
    words = len(utterance.words)
    opened = sum(1 for clause in clauses if clause.opener)
    extra = [words <= 2, words <= 5, words >= 12, words >= 25, opened > 0, opened > 1]
    return np.concatenate([values.ravel(), np.array(extra, dtype=np.float32)])


def word_features(utterance: Utterance) -> Floats:
    """Hashed words and pairs of neighbours, scaled to length 1; zeros for silence. The hash is the same on every machine."""
    values = np.zeros(PLACES, dtype=np.float32)
    words = [token.word for token in utterance.tokens]
    for first, second in itertools.pairwise(words):
        if first != STOP:
            values[zlib.crc32(first.encode()) % PLACES] += 1
        values[zlib.crc32(f"{first} {second}".encode()) % PLACES] += 1
    length = float(np.linalg.norm(values))
    return cast(Floats, values / np.float32(length)) if length else values


def fit(features: Doubles, targets: npt.NDArray[np.int64], classes: int, penalty: float,
        weight: Floats | None = None) -> tuple[Doubles, Doubles]:
    """Weights (classes, features) and bias of a multinomial logistic regression: L-BFGS from zero, so without chance.

    `penalty` is the L2 weight against the mean loss; `weight` (samples,) counts samples more or less.
    """
    samples, width = features.shape
    # Single precision halves the time; the sums that the search compares are kept in double.
    data = np.concatenate([features, np.ones((samples, 1))], axis=1, dtype=np.float32)
    wanted = np.eye(classes)[targets]
    importance = np.ones(samples) if weight is None else weight.astype(np.float64)
    importance /= importance.sum()
    decay = np.full((classes, width + 1), penalty)
    decay[:, -1] = 0

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        table = flat.reshape(classes, width + 1)
        scores = (data @ table.T.astype(np.float32)).astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scores).sum(axis=1))
        probabilities = np.exp(scores - log_sum[:, None])
        value = float(importance @ (log_sum - (scores * wanted).sum(axis=1)) + 0.5 * (decay * table * table).sum())
        pull = ((probabilities - wanted) * importance[:, None]).astype(np.float32)
        slope = (pull.T @ data).astype(np.float64) + decay * table
        return value, slope.ravel()

    table = _minimise(loss, np.zeros(classes * (width + 1))).reshape(classes, width + 1)
    return table[:, :-1], table[:, -1]


def _minimise(loss: Loss, start: Doubles, rounds: int = 200, memory: int = 10) -> Doubles:
    """L-BFGS with a halving line search (Nocedal and Wright, algorithm 7.4); stops when the slope is below TOLERANCE."""
    point, (value, slope) = start, loss(start)
    steps: list[Doubles] = []
    turns: list[Doubles] = []
    for _ in range(rounds):
        if float(np.abs(slope).max()) < TOLERANCE:
            break
        direction = -_curved(slope, steps, turns)
        descent = float(direction @ slope)
        rate = 1.0 if steps else min(1.0, 1.0 / float(np.abs(slope).sum()))
        for _ in range(30):
            ahead = point + rate * direction
            new_value, new_slope = loss(ahead)
            if new_value <= value + 1e-4 * rate * descent:
                break
            rate /= 2
        step, turn = ahead - point, new_slope - slope
        if float(step @ turn) > 1e-12:
            steps, turns = [*steps[-memory + 1:], step], [*turns[-memory + 1:], turn]
        point, value, slope = ahead, new_value, new_slope
    return point


def _curved(slope: Doubles, steps: Sequence[Doubles], turns: Sequence[Doubles]) -> Doubles:
    """The slope times the inverse curvature that the last steps showed."""
    direction, shares = slope.copy(), []
    for step, turn in zip(reversed(steps), reversed(turns), strict=False):
        share = float(step @ direction) / float(step @ turn)
        direction -= share * turn
        shares.append(share)
    if steps:
        direction *= float(steps[-1] @ turns[-1]) / float(turns[-1] @ turns[-1])
    for step, turn, share in zip(steps, turns, reversed(shares), strict=False):
        direction += step * (share - float(turn @ direction) / float(step @ turn))
    return cast("Doubles", direction)

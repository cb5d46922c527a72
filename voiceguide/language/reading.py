"""One look at an utterance, shared by all detectors: its words, clauses, matched rules and the heads' probabilities.

Every head is asked at most once an utterance, and only when somebody wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceguide.language.classifier import Head
from voiceguide.language.clauses import Clause, Utterance
from voiceguide.language.encoder import Floats
from voiceguide.language.heads import Heads


@dataclass(slots=True)
class Reading:
    """What is known of one utterance. `heads` and `features`: None without the encoder."""

    utterance: Utterance
    clauses: tuple[Clause, ...]
    found: Mapping[str, tuple[int, int]]
    heads: Heads | None
    features: Floats | None
    _asked: dict[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    def ask(self, task: str) -> Mapping[str, float]:
        """Label -> probability of a head; empty where there is none, so that rules alone decide."""
        if task not in self._asked:
            head = self._head(task)
            self._asked[task] = head.probabilities(self.features) if head is not None and self.features is not None else {}
        return self._asked[task]

    def threshold(self, task: str, name: str, default: float) -> float:
        """A number that training chose; `default` where rules decide alone."""
        return self.heads.threshold(task, name, default) if self.heads is not None else default

    def rules(self, file: str) -> dict[str, tuple[int, int]]:
        """Kind -> span of the matched rules of one file of the pack."""
        return {name.partition(".")[2]: span for name, span in self.found.items() if name.startswith(f"{file}.")}

    def _head(self, task: str) -> Head | None:
        return self.heads.heads.get(task) if self.heads is not None else None

"""The labelled sentences of `content/<language>/corpus/*.tsv`: text, task, label, split, tags.

`split` is train, dev or test. Nothing may be tuned on test: training asks for the other two, only the bench reads it.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voiceguide.errors import ContentError

SPLITS = ("train", "dev", "test")
_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence with one label for one task; `theme` is the name of its file."""

    text: str = field(repr=False)
    task: str
    label: str
    split: str
    tags: tuple[str, ...]
    theme: str


def read_corpus(language: str, splits: Sequence[str] = SPLITS) -> list[Example]:
    """All examples of `splits` in the order of files and lines. Raises ContentError naming file and line."""
    folder = importlib.resources.files("voiceguide") / "content" / language / "corpus"
    examples: list[Example] = []
    for file in sorted((one for one in folder.iterdir() if one.name.endswith(".tsv")), key=lambda one: one.name):
        examples += _parse(file.name, file.read_text(encoding="utf-8").splitlines())
    return [example for example in examples if example.split in splits]


def _parse(name: str, lines: Iterable[str]) -> list[Example]:
    examples = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) < _FIELDS or parts[3] not in SPLITS:
            raise ContentError("broken_content", f"corpus/{name}, line {number}: wants text, task, label, split, tags")
        tags = tuple(parts[4].split(",")) if len(parts) > _FIELDS and parts[4] else ()
        examples.append(Example(parts[0], parts[1], parts[2], parts[3], tags, name.removesuffix(".tsv")))
    return examples

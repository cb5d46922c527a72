"""The trained heads as two small files: `heads.json` (labels, thresholds, order of the rules) and `heads.npz` (8-bit weights).

Kept in `content/<language>/heads/`, written by `scripts/train` only. A file that is missing, cut or does not fit the rules
of the pack raises `ModelError`, and the phrase rules serve alone.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voiceguide.errors import ModelError
from voiceguide.language.classifier import Floats, Head, blocks

HALVES = ("full", "lexical")
FORMAT = 1
_HINT = "install voiceguide again, or: scripts/train"


@dataclass(frozen=True, slots=True)
class Heads:
    """Task -> head, for both halves; `thresholds`: "half.task" -> named numbers; `rules`: the features' order.

    `probe`: the first numbers of the encoder's answer to the pack's probe sentence, by which wrong weights are known.
    """

    rules: tuple[str, ...]
    full: Mapping[str, Head]
    lexical: Mapping[str, Head]
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    probe: tuple[float, ...] = ()

    def half(self, name: str) -> Mapping[str, Head]:
        """The heads that see the encoder ("full") or not ("lexical")."""
        return self.full if name == "full" else self.lexical

    def threshold(self, half: str, task: str, name: str, default: float) -> float:
        """A number that training chose on the development part."""
        return self.thresholds.get(f"{half}.{task}", {}).get(name, default)

    def save(self, folder: Path) -> None:
        """Write both files; the same heads always give the same bytes."""
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        about: dict[str, object] = {}
        for half in HALVES:
            for task, head in sorted(self.half(half).items()):
                about[f"{half}.{task}"] = list(head.labels)
                small, scale = _shrink(head.weights, blocks(half, len(self.rules)))
                arrays |= {f"{half}.{task}.small": small, f"{half}.{task}.scale": scale, f"{half}.{task}.bias": head.bias}
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / "heads.npz", **arrays)  # type: ignore[arg-type]  # the stub wants one dtype
        described = {"format": FORMAT, "rules": list(self.rules), "heads": about, "thresholds": self.thresholds,
                     "probe": list(self.probe)}
        (folder / "heads.json").write_text(json.dumps(described, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, rules: Sequence[str]) -> Heads:
        """Read both files. Raises ModelError("heads_missing" | "heads_broken"); `rules` must be those of training."""
        try:
            about = json.loads((folder / "heads.json").read_text(encoding="utf-8"))
            packed = (folder / "heads.npz").read_bytes()
        except FileNotFoundError:
            raise ModelError("heads_missing", "the trained heads are not here", hint=_HINT) from None
        except (OSError, ValueError):
            raise ModelError("heads_broken", "the trained heads cannot be read", hint=_HINT) from None
        try:
            if about["format"] != FORMAT or about["rules"] != list(rules):
                raise ModelError("heads_broken", "the trained heads belong to other rules", hint="scripts/train")
            with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
                halves = {half: _half(about["heads"], arrays, half, len(rules)) for half in HALVES}
            return cls(tuple(rules), halves["full"], halves["lexical"], about["thresholds"], tuple(about["probe"]))
        except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile):
            raise ModelError("heads_broken", "the trained heads cannot be read", hint=_HINT) from None


def _half(about: Mapping[str, Sequence[str]], arrays: Mapping[str, npt.NDArray[np.generic]], half: str,
          rules: int) -> dict[str, Head]:
    heads = {}
    for name, labels in about.items():
        which, task = name.split(".", maxsplit=1)
        if which == half:
            small = np.asarray(arrays[f"{name}.small"], dtype=np.float32)
            scale = np.asarray(arrays[f"{name}.scale"], dtype=np.float32)
            spread = np.repeat(scale, blocks(half, rules), axis=1)
            if small.shape != spread.shape or small.shape[0] != len(labels):
                raise ValueError("shape")
            heads[task] = Head(tuple(labels), small * spread, np.asarray(arrays[f"{name}.bias"], dtype=np.float32))
    return heads


def _shrink(weights: Floats, sizes: Sequence[int]) -> tuple[npt.NDArray[np.int8], Floats]:
    """Weights in steps of 1/127 of the largest of their label and block of features."""
    edges = np.concatenate([[0], np.cumsum(sizes)])
    scale = np.stack([np.abs(weights[:, a:b]).max(axis=1) / 127 for a, b in itertools.pairwise(edges)], axis=1)
    scale = np.maximum(scale, 1e-12).astype(np.float32)
    return np.rint(weights / np.repeat(scale, sizes, axis=1)).astype(np.int8), scale

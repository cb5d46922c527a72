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
from voiceguide.language.classifier import Head, blocks
from voiceguide.language.encoder import TAPS, WIDTH, Floats

FORMAT = 2
_HINT = "install voiceguide again, or: scripts/train"


@dataclass(frozen=True, slots=True)
class Heads:
    """Task -> head. `thresholds`: task -> named numbers; `rules`: the features' order; `centre`: the encoder's mean answer,
    shape (len(TAPS), WIDTH).

    `probe`: the first numbers of the encoder's answer to the pack's probe sentence, by which wrong weights are known.
    """

    rules: tuple[str, ...]
    heads: Mapping[str, Head]
    centre: Floats
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    probe: tuple[float, ...] = ()

    def threshold(self, task: str, name: str, default: float) -> float:
        """A number that training chose on sentences that the head had not seen."""
        return self.thresholds.get(task, {}).get(name, default)

    def save(self, folder: Path) -> None:
        """Write both files; the same heads always give the same bytes."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"centre": self.centre.astype(np.float16)}
        for task, head in sorted(self.heads.items()):
            small, scale = _shrink(head.weights, blocks(len(self.rules)))
            arrays |= {f"{task}.small": small, f"{task}.scale": scale, f"{task}.bias": head.bias}
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / "heads.npz", **arrays)  # type: ignore[arg-type]  # the stub wants one dtype
        described = {"format": FORMAT, "rules": list(self.rules), "thresholds": self.thresholds, "probe": list(self.probe),
                     "heads": {task: list(head.labels) for task, head in self.heads.items()}}
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
                heads = {task: _head(arrays, task, labels, len(rules)) for task, labels in about["heads"].items()}
                centre = np.asarray(arrays["centre"], dtype=np.float32).reshape(len(TAPS), WIDTH)
            return cls(tuple(rules), heads, centre, about["thresholds"], tuple(about["probe"]))
        except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile):
            raise ModelError("heads_broken", "the trained heads cannot be read", hint=_HINT) from None


def _head(arrays: Mapping[str, npt.NDArray[np.generic]], task: str, labels: Sequence[str], rules: int) -> Head:
    small = np.asarray(arrays[f"{task}.small"], dtype=np.float32)
    spread = np.repeat(np.asarray(arrays[f"{task}.scale"], dtype=np.float32), blocks(rules), axis=1)
    if small.shape != spread.shape or small.shape[0] != len(labels):
        raise ValueError("shape")
    return Head(tuple(labels), small * spread, np.asarray(arrays[f"{task}.bias"], dtype=np.float32))


def _shrink(weights: Floats, sizes: Sequence[int]) -> tuple[npt.NDArray[np.int8], Floats]:
    """Weights in steps of 1/127 of the largest of their label and block of features."""
    edges = np.concatenate([[0], np.cumsum(sizes)])
    scale = np.stack([np.abs(weights[:, a:b]).max(axis=1) / 127 for a, b in itertools.pairwise(edges)], axis=1)
    scale = np.maximum(scale, 1e-12).astype(np.float32)
    return np.rint(weights / np.repeat(scale, sizes, axis=1)).astype(np.int8), scale

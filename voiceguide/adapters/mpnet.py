"""The sentence encoder: the first eight blocks of MPNet (all-mpnet-base-v2, Apache-2.0) in whole numbers, on onnxruntime (MIT).

The published weights (438 MB, single precision) are shrunk once, by `mpnet_graph`, into a file beside them a fifth as large
and more than twice as quick. A file that is missing, cut or another model's raises `ModelError`; the rules then serve alone.
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from voiceguide.errors import ModelError
from voiceguide.language.encoder import TAPS, WIDTH, Floats

ENCODER = "all-mpnet-base-v2"  # the folder below models/
SMALL = "small-1.onnx"  # the number changes with what mpnet_graph writes
WEIGHTS, WORDS = "model.safetensors", "tokenizer.json"
# A spoken sentence has about 15 tokens; a two-minute turn is cut into windows by the caller, so this is a safety limit.
LONGEST = 128
_FIRST_PLACE = 2  # MPNet counts places from behind its padding mark
_BUCKETS, _FARTHEST = 32, 128  # relative positions, as the model was trained with (Raffel et al. 2020, appendix B)
_OFTEN = 48  # tokens up to which the table of positions is kept
_HINT = f"scripts/fetch-models {ENCODER}"
_ERRORS_ONLY = 3


class MpnetEncoder:
    """MPNet as an `Encoder`. Immutable after `open`; safe to share."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `model.safetensors` and `tokenizer.json`. Reads nothing yet."""
        self._folder = folder
        self._session: Any = None
        self._tokenizer: Any = None
        self._near: dict[int, npt.NDArray[np.int64]] = {}

    def open(self) -> MpnetEncoder:
        """Load (0.3 s; the first time some seconds more). Raises ModelError("encoder_missing" | "encoder_broken")."""
        if not all((self._folder / name).is_file() for name in (WEIGHTS, WORDS)):
            raise ModelError("encoder_missing", "the sentence encoder is not here", hint=_HINT)
        try:
            self._tokenizer = _tokenizer(self._folder / WORDS)
            self._session = self._opened()
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            raise ModelError("encoder_broken", f"the sentence encoder cannot be read ({type(trouble).__name__})",
                             hint=_HINT) from None
        return self

    def _opened(self) -> Any:
        """A session on the small form, which is made where it is missing or broken."""
        small = self._folder / SMALL
        if small.is_file():
            try:
                return _session(str(small))
            except ValueError:
                pass  # cut by a full disk or a power cut: made again below
        from voiceguide.adapters.mpnet_graph import shrink

        made = shrink(self._folder / WEIGHTS)
        try:
            _write(small, made)
        except OSError:
            return _session(made)  # a read-only folder: made again at every start
        return _session(str(small))

    def embed(self, text: str) -> Floats:
        """The last row of `layers`: shape (WIDTH,), length 1."""
        return cast("Floats", self.layers(text)[-1])

    def layers(self, text: str) -> Floats:
        """See `language.encoder.Encoder`. Longer than LONGEST tokens: the beginning counts."""
        if self._session is None:
            raise ModelError("encoder_missing", "the sentence encoder was not opened")
        ids = np.array(self._tokenizer.encode(_encodable(text)).ids[:LONGEST], dtype=np.int64)
        if len(ids) <= 2:  # nothing but the two brackets around a sentence
            return np.zeros((len(TAPS), WIDTH), dtype=np.float32)
        places = np.arange(_FIRST_PLACE, _FIRST_PLACE + len(ids))
        [rows] = self._session.run(None, {"ids": ids, "places": places, "distances": self._distances(len(ids))})
        return cast("Floats", rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))

    def _distances(self, tokens: int) -> npt.NDArray[np.int64]:
        if tokens > _OFTEN:
            return distances(tokens)
        if tokens not in self._near:
            self._near[tokens] = distances(tokens)
        return self._near[tokens]


def distances(tokens: int) -> npt.NDArray[np.int64]:
    """(tokens, tokens): which of the learnt distances lies between two tokens; near ones exact, far ones by their logarithm."""
    apart = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
    half = _BUCKETS // 2
    exact = half // 2
    far = np.maximum(np.abs(apart), 1)
    grown = exact + (np.log(far / exact) / math.log(_FARTHEST / exact) * (half - exact)).astype(np.int64)
    near = np.where(far < exact, np.abs(apart), np.minimum(grown, half - 1))
    return cast("npt.NDArray[np.int64]", np.where(apart < 0, half, 0) + near)


def _session(source: str | bytes) -> Any:
    """Raises ValueError for what is no model."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the recogniser and the voice need the other cores
    options.enable_cpu_mem_arena = False  # a long sentence's memory is given back
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as trouble:  # noqa: BLE001 - a border: whatever onnxruntime raises for a broken file
        raise ValueError(type(trouble).__name__) from None
    if [one.name for one in session.get_inputs()] != ["ids", "places", "distances"]:
        raise ValueError("another model")
    return session


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, also when another process does the same."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".small-")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as trouble:  # noqa: BLE001 - the library raises a bare Exception for a broken file
        raise ValueError(type(trouble).__name__) from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def _encodable(text: str) -> str:
    # Lone surrogates (half an emoji from a broken pipe) are the only strings that the tokenizer refuses.
    return text.encode("utf-8", "ignore").decode("utf-8")

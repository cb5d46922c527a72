"""A sentence becomes 384 numbers: MiniLM-L6 (a six-layer BERT) as a forward pass in numpy, nothing else.

The weights are read once, at `open()`; afterwards `embed` is a pure function of its text. A file that is missing, cut
or not this model raises `ModelError`, and the caller goes on with the lexical half (issue 4, bad input).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from voiceguide.errors import ModelError

Floats = npt.NDArray[np.float32]

WIDTH = 384
LAYERS = 6
ATTENTION_HEADS = 12
NORM_EPSILON = 1e-12
# A spoken sentence has about 15 tokens; a two-minute turn is cut into windows by the caller, so this is a safety limit.
LONGEST = 128
BATCH = 16  # sentences at once: more needs memory and gains nothing on one core
_HEADER_LIMIT = 10_000_000
_AVERAGE = np.full(WIDTH, 1 / WIDTH, dtype=np.float32)
_ROOT = math.sqrt(2 / math.pi)


class Encoder:
    """MiniLM-L6-v2: `embed(text)` gives a unit vector of `WIDTH` float32. Immutable after `open`; safe to share."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `model.safetensors` and `tokenizer.json`. Reads nothing yet."""
        self._folder = folder
        self._weights: dict[str, Floats] = {}
        self._layers: list[_Layer] = []
        self._tokenizer: Any = None

    def open(self) -> Encoder:
        """Load weights and tokenizer (about 0.2 s, 90 MB mapped). Raises ModelError("encoder_missing" | "encoder_broken")."""
        weights, words = self._folder / "model.safetensors", self._folder / "tokenizer.json"
        hint = "scripts/fetch-models all-minilm-l6-v2"
        if not weights.is_file() or not words.is_file():
            raise ModelError("encoder_missing", "the sentence encoder is not here", hint=hint)
        try:
            self._weights = read_safetensors(weights)
            self._layers = [_Layer(self._weights, number) for number in range(LAYERS)]
            self._check_embeddings()
            self._tokenizer = _tokenizer(words)
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            raise ModelError("encoder_broken", f"the sentence encoder cannot be read ({type(trouble).__name__})",
                             hint=hint) from None
        return self

    def _check_embeddings(self) -> None:
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
            if self._weights[f"embeddings.{name}.weight"].shape[-1] != WIDTH:
                raise ValueError(name)

    def embed(self, text: str) -> Floats:
        """Shape (WIDTH,), length 1; zeros for a text without words. Longer than LONGEST tokens: the beginning."""
        return cast("Floats", self.layers(text)[-1])

    def layers(self, text: str) -> Floats:
        """The mean over words after every layer, each scaled to length 1: shape (LAYERS + 1, WIDTH).

        Row 0 is the bare words (meaning without order), the last row is the sentence vector of the published model; the
        rows between know more about grammar (who does what, "not", "if") than the last one keeps.
        """
        return self.layers_of([text])[0]

    def layers_of(self, texts: Sequence[str]) -> list[Floats]:
        """`layers` of many texts; those with as many tokens go through together, which is quicker than one by one."""
        if self._tokenizer is None:
            raise ModelError("encoder_missing", "the sentence encoder was not opened")
        answers = [np.zeros((LAYERS + 1, WIDTH), dtype=np.float32) for _ in texts]
        by_length: dict[int, list[tuple[int, list[int]]]] = {}
        for place, text in enumerate(texts):
            ids = self._tokenizer.encode(_encodable(text)).ids[:LONGEST]
            if len(ids) > 2:  # more than the two brackets around a sentence
                by_length.setdefault(len(ids), []).append((place, ids))
        for group in by_length.values():
            for begin in range(0, len(group), BATCH):
                part = group[begin : begin + BATCH]
                for (place, _), answer in zip(part, self._means(np.array([ids for _, ids in part])), strict=False):
                    answers[place] = answer
        return answers

    def _means(self, ids: npt.NDArray[np.int64]) -> Floats:
        """(sentences, tokens) -> (sentences, LAYERS + 1, WIDTH)."""
        hidden = self._embed_tokens(ids)
        means = [_mean_of_words(hidden, ids.shape)]
        for layer in self._layers:
            hidden = layer.forward(hidden, ids.shape)
            means.append(_mean_of_words(hidden, ids.shape))
        stacked = np.stack(means, axis=1)
        return cast(Floats, stacked / np.maximum(np.linalg.norm(stacked, axis=2, keepdims=True), 1e-9))

    def _embed_tokens(self, ids: npt.NDArray[np.int64]) -> Floats:
        weights = self._weights
        total = weights["embeddings.word_embeddings.weight"][ids]
        total = total + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        total = total + weights["embeddings.token_type_embeddings.weight"][0]
        norm = [weights[f"embeddings.LayerNorm.{part}"][:, None] for part in ("weight", "bias")]
        return _norm(cast("Floats", np.ascontiguousarray(total.reshape(-1, WIDTH).T)), norm[0], norm[1])


class _Layer:
    """One transformer block, on columns: (WIDTH, all tokens). Weights stay as the file has them, query, key and value one
    below the other: a matrix times few columns takes two thirds of the time of few rows times a matrix (OpenBLAS, one core).
    """

    def __init__(self, weights: dict[str, Floats], number: int) -> None:
        def get(name: str) -> Floats:
            return weights[f"encoder.layer.{number}.{name}"]

        def column(name: str) -> Floats:
            return cast("Floats", get(name)[:, None].copy())

        parts = ("query", "key", "value")
        self.into = np.concatenate([get(f"attention.self.{p}.weight") for p in parts])
        self.into_bias = np.concatenate([column(f"attention.self.{p}.bias") for p in parts])
        self.out, self.out_bias = get("attention.output.dense.weight").copy(), column("attention.output.dense.bias")
        self.up, self.up_bias = get("intermediate.dense.weight").copy(), column("intermediate.dense.bias")
        self.down, self.down_bias = get("output.dense.weight").copy(), column("output.dense.bias")
        self.first = (column("attention.output.LayerNorm.weight"), column("attention.output.LayerNorm.bias"))
        self.second = (column("output.LayerNorm.weight"), column("output.LayerNorm.bias"))
        shapes = (self.into.shape, self.out.shape, self.up.shape, self.down.shape)
        if shapes != ((3 * WIDTH, WIDTH), (WIDTH, WIDTH), (4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH)):
            raise ValueError("shape")

    def forward(self, hidden: Floats, shape: tuple[int, ...]) -> Floats:
        """(WIDTH, sentences * tokens) -> the same; `shape`: (sentences, tokens)."""
        size = WIDTH // ATTENTION_HEADS
        split = (self.into @ hidden + self.into_bias).reshape(3, ATTENTION_HEADS, size, *shape)
        query, key, value = split.transpose(0, 3, 1, 4, 2)  # each (sentences, heads, tokens, size)
        scores = query @ key.transpose(0, 1, 3, 2) * np.float32(1 / math.sqrt(size))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        attended = (scores @ value).transpose(1, 3, 0, 2).reshape(WIDTH, -1)
        hidden = _norm(cast("Floats", hidden + self.out @ attended + self.out_bias), *self.first)
        inner = self.down @ _gelu(self.up @ hidden + self.up_bias) + self.down_bias
        return _norm(cast("Floats", hidden + inner), *self.second)


def read_safetensors(path: Path) -> dict[str, Floats]:
    """Name -> float32 array, mapped from disk (read-only). Raises ValueError or OSError for anything but whole fp32 tensors.

    Format: 8 bytes little-endian header length, JSON header with dtype, shape and byte offsets, then the raw numbers.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
            raise ValueError("header")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("header")
    raw = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    tensors: dict[str, Floats] = {}
    for name, about in header.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        begin, end = about["data_offsets"]
        if not 0 <= begin <= end <= raw.size or end - begin != 4 * math.prod(about["shape"]):
            raise ValueError("cut")
        tensors[name] = raw[begin:end].view(np.dtype("<f4")).reshape(about["shape"])
    return tensors


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


def _mean_of_words(hidden: Floats, shape: tuple[int, ...]) -> Floats:
    """(WIDTH, sentences * tokens) -> (sentences, WIDTH)."""
    return cast(Floats, hidden.reshape(WIDTH, *shape).mean(axis=-1).T)


def _norm(values: Floats, weight: Floats, bias: Floats) -> Floats:
    """Each column to mean 0 and variance 1, then scaled."""
    centred = values - _AVERAGE @ values
    centred *= 1 / np.sqrt(_AVERAGE @ (centred * centred) + np.float32(NORM_EPSILON))
    centred *= weight
    centred += bias
    return centred


def _gelu(values: Floats) -> Floats:
    """X * Phi(x) in the form with tanh (Hendrycks and Gimpel 2016; off by 5e-4 at most): a sixth of the time of the error
    function, which numpy has none of. The heads are trained on what comes out of here."""
    inner = values * values
    inner *= np.float32(0.044715 * _ROOT)
    inner += np.float32(_ROOT)
    inner *= values
    np.tanh(inner, out=inner)
    inner += 1
    inner *= values
    inner *= np.float32(0.5)
    return inner

"""A sentence becomes 384 numbers: MiniLM-L6 (a six-layer BERT) as a forward pass in numpy, nothing else.

The weights are read once, at `open()`; afterwards `embed` is a pure function of its text. A file that is missing, cut
or not this model raises `ModelError`, and the caller goes on with the lexical half (issue 4, bad input).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Sequence, cast

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
_HEADER_LIMIT = 10_000_000


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
        except (OSError, ValueError, KeyError) as trouble:
            raise ModelError("encoder_broken", f"the sentence encoder cannot be read ({type(trouble).__name__})",
                             hint=hint) from None
        return self

    def _check_embeddings(self) -> None:
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
            if self._weights[f"embeddings.{name}.weight"].shape[-1] != WIDTH:
                raise ValueError(name)

    def embed(self, text: str) -> Floats:
        """Shape (WIDTH,), length 1; zeros for a text without words. Longer than LONGEST tokens: the beginning."""
        return self.layers(text)[-1]

    def layers(self, text: str) -> Floats:
        """The mean over words after every layer, each scaled to length 1: shape (LAYERS + 1, WIDTH).

        Row 0 is the bare words (meaning without order), the last row is the sentence vector of the published model.
        """
        if self._tokenizer is None:
            raise ModelError("encoder_missing", "the sentence encoder was not opened")
        ids = self._tokenizer.encode(_encodable(text)).ids[:LONGEST]
        if len(ids) <= 2:  # only the two brackets around a sentence
            return np.zeros((LAYERS + 1, WIDTH), dtype=np.float32)
        hidden = self._embed_tokens(ids)
        means = [hidden.mean(axis=0)]
        for layer in self._layers:
            hidden = layer.forward(hidden)
            means.append(hidden.mean(axis=0))
        stacked = np.stack(means)
        return cast(Floats, stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-9))

    def _embed_tokens(self, ids: Sequence[int]) -> Floats:
        weights = self._weights
        total = weights["embeddings.word_embeddings.weight"][np.asarray(ids)]
        total = total + weights["embeddings.position_embeddings.weight"][: len(ids)]
        total = total + weights["embeddings.token_type_embeddings.weight"][0]
        return _norm(total, weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])


class _Layer:
    """One transformer block. Weights are copied once, transposed and with query, key and value side by side."""

    def __init__(self, weights: dict[str, Floats], number: int) -> None:
        def get(name: str) -> Floats:
            return weights[f"encoder.layer.{number}.{name}"]

        parts = ("query", "key", "value")
        self.into = np.ascontiguousarray(np.concatenate([get(f"attention.self.{p}.weight") for p in parts]).T)
        self.into_bias = np.concatenate([get(f"attention.self.{p}.bias") for p in parts])
        self.out = np.ascontiguousarray(get("attention.output.dense.weight").T)
        self.out_bias = get("attention.output.dense.bias").copy()
        self.up = np.ascontiguousarray(get("intermediate.dense.weight").T)
        self.up_bias = get("intermediate.dense.bias").copy()
        self.down = np.ascontiguousarray(get("output.dense.weight").T)
        self.down_bias = get("output.dense.bias").copy()
        self.first = (get("attention.output.LayerNorm.weight").copy(), get("attention.output.LayerNorm.bias").copy())
        self.second = (get("output.LayerNorm.weight").copy(), get("output.LayerNorm.bias").copy())
        shapes = (self.into.shape, self.out.shape, self.up.shape, self.down.shape)
        if shapes != ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH)):
            raise ValueError("shape")

    def forward(self, hidden: Floats) -> Floats:
        """(tokens, WIDTH) -> (tokens, WIDTH)."""
        tokens, size = hidden.shape[0], WIDTH // ATTENTION_HEADS
        mixed = (hidden @ self.into + self.into_bias).reshape(tokens, 3, ATTENTION_HEADS, size).transpose(1, 2, 0, 3)
        query, key, value = mixed[0], mixed[1], mixed[2]
        scores = query @ key.transpose(0, 2, 1) / np.float32(math.sqrt(size))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        attended = (scores @ value).transpose(1, 0, 2).reshape(tokens, WIDTH)
        hidden = _norm(hidden + attended @ self.out + self.out_bias, *self.first)
        inner = _gelu(hidden @ self.up + self.up_bias) @ self.down + self.down_bias
        return _norm(hidden + inner, *self.second)


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
    from tokenizers import Tokenizer  # noqa: PLC0415 - lazily: only where the weights are present

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


def _norm(values: Floats, weight: Floats, bias: Floats) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    return cast(Floats, centred / np.sqrt(variance + np.float32(NORM_EPSILON)) * weight + bias)


def _gelu(values: Floats) -> Floats:
    """x * Phi(x) with the error function of Abramowitz and Stegun 7.1.26 (error below 2e-7; numpy has none)."""
    scaled = np.abs(values) * np.float32(math.sqrt(0.5))
    step = 1 / (1 + np.float32(0.3275911) * scaled)
    series = step * np.float32(1.061405429) + np.float32(-1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        series = series * step + np.float32(coefficient)
    tail = np.float32(0.5) * series * step * np.exp(-scaled * scaled)
    return cast(Floats, values * np.where(values >= 0, 1 - tail, tail))

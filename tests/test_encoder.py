"""The sentence encoder: the published model's own answers, and one clear error for every broken file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voiceguide.errors import ModelError
from voiceguide.language.detecting import ENCODER
from voiceguide.language.encoder import LAYERS, LONGEST, WIDTH, Encoder, read_safetensors
from voiceguide.runtime.models import models_folder

FOLDER = models_folder() / ENCODER
needs_weights = pytest.mark.skipif(not (FOLDER / "model.safetensors").is_file(),
                                   reason="weights: scripts/fetch-models all-minilm-l6-v2")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(FOLDER).open()


@needs_weights
def test_it_answers_as_the_published_model_does(encoder: Encoder) -> None:
    # The four sentences and their similarities are those on the model's public card (its example widget).
    first, *others = (encoder.embed(text) for text in (
        "That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"))
    assert [float(first @ other) for other in others] == pytest.approx([0.695, 0.943, 0.257], abs=0.002)


@needs_weights
def test_a_sentence_becomes_384_numbers_of_length_one(encoder: Encoder) -> None:
    vector = encoder.embed("could we stop for a while")
    assert vector.shape == (WIDTH,)
    assert vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)


@needs_weights
def test_company_does_not_change_a_sentence(encoder: Encoder) -> None:
    texts = ["the bread is in the oven", "", "can we talk later", "the dog is in the garden", "no"]
    together = encoder.layers_of(texts)
    for text, layers in zip(texts, together, strict=True):
        assert layers.shape == (LAYERS + 1, WIDTH)
        assert np.allclose(layers, encoder.layers(text), atol=1e-5)


@needs_weights
@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "\ud83d", "🙂🙂", "word " * 5000, "안녕하세요"])
def test_any_text_gets_an_answer(encoder: Encoder, text: str) -> None:
    assert np.isfinite(encoder.embed(text)).all()


@needs_weights
def test_beyond_the_longest_sentence_the_beginning_counts(encoder: Encoder) -> None:
    assert np.allclose(encoder.embed("stone " * LONGEST), encoder.embed("stone " * 5000), atol=1e-6)


def test_a_closed_encoder_says_so() -> None:
    with pytest.raises(ModelError):
        Encoder(Path("nowhere")).embed("hello")


def test_missing_weights_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        Encoder(tmp_path).open()
    assert caught.value.code == "encoder_missing"
    assert "fetch-models" in caught.value.hint


def _write(path: Path, header: bytes, body: bytes = b"") -> None:
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)


def _cut(path: Path) -> None:
    about = {"a": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}}
    _write(path, json.dumps(about).encode(), b"\0" * 32)


def _not_ours(path: Path) -> None:
    about = {"other": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    _write(path, json.dumps(about).encode(), b"\0" * 8)


@pytest.mark.parametrize("write", [lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"PK\x03\x04 not a model"),
                                   lambda p: _write(p, b"[1, 2]", b"\0" * 8), lambda p: _write(p, b"{{{", b"\0"), _cut,
                                   _not_ours])
def test_broken_weights_are_an_error_with_a_code(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "model.safetensors")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        Encoder(tmp_path).open()
    assert caught.value.code == "encoder_broken"


def test_safetensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    about = {"__metadata__": {"format": "pt"}, "v": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    _write(tmp_path / "one.safetensors", json.dumps(about).encode(), values.tobytes())
    assert np.array_equal(read_safetensors(tmp_path / "one.safetensors")["v"], values)

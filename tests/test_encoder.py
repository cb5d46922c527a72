"""The sentence encoder: the published model's own answers, and one clear error for every broken file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voiceguide.adapters.mpnet import ENCODER, LONGEST, SMALL, WEIGHTS, WORDS, MpnetEncoder, distances
from voiceguide.adapters.mpnet_graph import read_safetensors
from voiceguide.errors import ModelError
from voiceguide.language.encoder import TAPS, WIDTH
from voiceguide.runtime.models import models_folder

FOLDER = models_folder() / ENCODER
needs_weights = pytest.mark.skipif(not (FOLDER / WEIGHTS).is_file(), reason=f"weights: scripts/fetch-models {ENCODER}")
# The largest numbers of the published model's hidden states, averaged over tokens and scaled to length 1, for "That is a happy
# person": from transformers 5 and torch 2.13 in single precision. Tap -> place -> number.
PUBLISHED = {
    0: {138: -0.1141, 256: 0.1097, 267: -0.125, 292: -0.1002, 515: 0.116, 553: -0.1159, 555: -0.1123, 661: -0.2041},
    4: {54: 0.0964, 61: 0.1064, 241: 0.1, 267: -0.1444, 344: -0.0977, 461: 0.3207, 549: -0.1158, 568: 0.2171},
    8: {34: 0.0987, 264: 0.1115, 313: -0.0924, 344: -0.1127, 453: 0.1045, 461: 0.2777, 568: 0.2311, 694: 0.0997},
}
ROUNDING = 0.02  # what seven and eight bits may cost a single number


@pytest.fixture(scope="module")
def encoder() -> MpnetEncoder:
    return MpnetEncoder(FOLDER).open()


@needs_weights
def test_it_answers_as_the_published_model_does(encoder: MpnetEncoder) -> None:
    layers = encoder.layers("That is a happy person")
    for row, tap in zip(layers, TAPS, strict=True):
        given = {place: float(row[place]) for place in PUBLISHED[tap]}
        assert given == pytest.approx(PUBLISHED[tap], abs=ROUNDING)


@needs_weights
def test_a_sentence_becomes_rows_of_length_one(encoder: MpnetEncoder) -> None:
    layers = encoder.layers("could we stop for a while")
    assert layers.shape == (len(TAPS), WIDTH)
    assert layers.dtype == np.float32
    assert np.linalg.norm(layers, axis=1) == pytest.approx(np.ones(len(TAPS)), abs=1e-5)


@needs_weights
def test_the_same_sentence_is_always_the_same(encoder: MpnetEncoder) -> None:
    first = encoder.layers("can we talk later")
    encoder.layers("the bread is in the oven and it has been there for an hour")
    assert np.array_equal(encoder.layers("can we talk later"), first)


@needs_weights
@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "\ud83d", "🙂🙂", "word " * 5000, "안녕하세요"])
def test_any_text_gets_an_answer(encoder: MpnetEncoder, text: str) -> None:
    assert np.isfinite(encoder.embed(text)).all()


@needs_weights
def test_beyond_the_longest_sentence_the_beginning_counts(encoder: MpnetEncoder) -> None:
    assert np.allclose(encoder.embed("stone " * LONGEST), encoder.embed("stone " * 5000), atol=1e-6)


@needs_weights
def test_a_small_form_that_was_cut_is_made_again(tmp_path: Path, encoder: MpnetEncoder) -> None:
    for name in (WEIGHTS, WORDS):
        (tmp_path / name).symlink_to(FOLDER / name)
    (tmp_path / SMALL).write_bytes((FOLDER / SMALL).read_bytes()[:1_000_000])
    assert np.array_equal(MpnetEncoder(tmp_path).open().embed("hello"), encoder.embed("hello"))
    assert (tmp_path / SMALL).read_bytes() == (FOLDER / SMALL).read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted((WEIGHTS, WORDS, SMALL))


@needs_weights
def test_another_model_in_the_small_form_s_place_is_not_used(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    out = helper.make_tensor_value_info("out", TensorProto.INT64, ["n"])
    graph = helper.make_graph([helper.make_node("Identity", ["ids"], ["out"])], "other", [info], [out])
    other = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    for name in (WEIGHTS, WORDS):
        (tmp_path / name).symlink_to(FOLDER / name)
    (tmp_path / SMALL).write_bytes(other)
    assert MpnetEncoder(tmp_path).open().embed("hello").shape == (WIDTH,)


def test_distances_are_exact_near_by_and_grow_coarser() -> None:
    table = distances(60)
    assert table[3, :4].tolist() == [3, 2, 1, 0]
    assert table[0, 1:4].tolist() == [17, 18, 19]
    assert table[59, 0] == 13  # 59 apart: 8 + log(59 / 8) / log(128 / 8) * 8
    assert distances(128).max() == 31


def test_a_closed_encoder_says_so() -> None:
    with pytest.raises(ModelError):
        MpnetEncoder(Path("nowhere")).embed("hello")


def test_missing_weights_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        MpnetEncoder(tmp_path).open()
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
        MpnetEncoder(tmp_path).open()
    assert caught.value.code == "encoder_broken"


def test_safetensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    about = {"__metadata__": {"format": "pt"}, "v": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    _write(tmp_path / "one.safetensors", json.dumps(about).encode(), values.tobytes())
    assert np.array_equal(read_safetensors(tmp_path / "one.safetensors")["v"], values)

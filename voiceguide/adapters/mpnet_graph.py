"""MPNet's published weights as a graph of whole numbers for onnxruntime, written with onnx (Apache-2.0). Runs once a machine.

Each matrix is kept in 7 bits an entry, one scale a column; each token is rounded to 8 bits, one scale a token, because a few
numbers of MPNet's are fifty times larger than the rest and one scale for all tokens would drown the others (cosine to single
precision after block 8: .92 with one scale, .99 so). 7 bits and not 8: 255 * 63 * 2 stays below 2 ** 15, so that processors
that add pairs in 16 bits come to the same sums as all others.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voiceguide.language.encoder import TAPS, WIDTH, Floats

BLOCKS = max(TAPS)
HEADS = 12
SIZE = WIDTH // HEADS
MOST_PLACES = 130
_STEPS = 63  # of a weight to either side of zero
_MIDDLE = 128  # of a token's 256 steps
_EPSILON = 1e-5  # of the layer norm
_OPSET, _FORMAT = 20, 10  # ONNX versions: what onnxruntime 1.18 reads
_HEADER_LIMIT = 10_000_000

Array = npt.NDArray[Any]


def shrink(weights: Path) -> bytes:
    """The graph as bytes (81 MB), always the same. Raises OSError, ValueError or KeyError for anything but MPNet's weights."""
    graph = _Graph(read_safetensors(weights))
    hidden = graph.norm(_embedded(graph), "embeddings.LayerNorm")
    graph.tap(0, hidden)
    for number in range(BLOCKS):
        hidden = _block(graph, hidden, f"encoder.layer.{number}")
        graph.tap(number + 1, hidden)
    return graph.finish()


def _embedded(graph: _Graph) -> str:
    """The ids' words and places: (tokens, WIDTH). Words in 8 bits, one scale a word."""
    words = graph.weights["embeddings.word_embeddings.weight"]
    if words.shape[-1] != WIDTH:
        raise ValueError("shape")
    scale = np.maximum(np.abs(words).max(axis=1, keepdims=True), 1e-9) / 127
    rounded = graph.keep("words", np.rint(words / scale).astype(np.int8))
    scales = graph.keep("words.scale", scale.astype(np.float32))
    picked = graph.single(graph.op("Gather", rounded, "ids"))
    places = graph.keep("places.table", graph.weights["embeddings.position_embeddings.weight"][:MOST_PLACES])
    return graph.op("Add", graph.op("Mul", picked, graph.op("Gather", scales, "ids")), graph.op("Gather", places, "places"))


def _block(graph: _Graph, hidden: str, name: str) -> str:
    """One transformer block, norms last: (tokens, WIDTH) -> the same."""
    attended = _attend(graph, hidden, f"{name}.attention.attn")
    hidden = graph.norm(graph.op("Add", attended, hidden), f"{name}.attention.LayerNorm")
    inner = graph.op("Gelu", graph.dense(graph.rounded(hidden), f"{name}.intermediate.dense"))
    inner = graph.dense(graph.rounded(inner), f"{name}.output.dense")
    return graph.norm(graph.op("Add", inner, hidden), f"{name}.output.LayerNorm")


def _attend(graph: _Graph, hidden: str, name: str) -> str:
    rounded = graph.rounded(hidden)
    split = [graph.op("Reshape", graph.dense(rounded, f"{name}.{part}"), graph.number("split", [-1, HEADS, SIZE]))
             for part in ("q", "k", "v")]
    query, value = (graph.op("Transpose", split[place], perm=[1, 0, 2]) for place in (0, 2))
    key = graph.op("Transpose", split[1], perm=[1, 2, 0])
    scores = graph.op("Mul", graph.op("MatMul", query, key), graph.number("root", np.float32(1 / math.sqrt(SIZE))))
    shares = graph.op("Softmax", graph.op("Add", scores, graph.bias()), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", shares, value), perm=[1, 0, 2])
    return graph.dense(graph.rounded(graph.op("Reshape", mixed, graph.number("flat", [-1, WIDTH]))), f"{name}.o")


class _Graph:
    """A graph that grows: every method adds nodes and gives the name of its result."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        import onnx  # large, and needed once a machine

        self._onnx = onnx
        self.weights = weights
        self._nodes: list[Any] = []
        self._kept: dict[str, Any] = {}
        self._taps: list[str] = []
        self._bias = ""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node."""
        name = f"v{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def keep(self, name: str, values: Array) -> str:
        """Numbers that belong to the model."""
        self._kept[name] = self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def number(self, name: str, value: Any) -> str:
        """A constant that several nodes share."""
        return name if name in self._kept else self.keep(name, np.asarray(value))

    def single(self, whole: str) -> str:
        """Whole numbers as single precision."""
        return self.op("Cast", whole, to=self._onnx.TensorProto.FLOAT)

    def rounded(self, hidden: str) -> tuple[str, str]:
        """(tokens, n) in 8 bits around _MIDDLE, and the scale of each token (tokens, 1)."""
        largest = self.op("ReduceMax", self.op("Abs", hidden), self.number("columns", [1]), keepdims=1)
        scale = self.op("Mul", largest, self.number("step", np.float32(1 / 127)))
        steps = self.op("Round", self.op("Div", hidden, scale))
        lifted = self.op("Add", steps, self.number("middle", np.float32(_MIDDLE)))
        return self.op("Cast", lifted, to=self._onnx.TensorProto.UINT8), scale

    def dense(self, rounded: tuple[str, str], name: str) -> str:
        """Rounded tokens times a matrix, plus its bias. The two scales go in one after the other: together onnxruntime takes
        them for one number and fuses the rows away."""
        weight = self.weights[f"{name}.weight"].T
        scale = np.abs(weight).max(axis=0) / _STEPS
        small = self.keep(f"{name}.small", np.rint(weight / scale).astype(np.int8))
        product = self.op("MatMulInteger", rounded[0], small, self.number("lift", np.uint8(_MIDDLE)))
        columns = self.op("Mul", self.single(product), self.keep(f"{name}.scale", scale.astype(np.float32)))
        return self.op("Add", self.op("Mul", columns, rounded[1]), self.keep(f"{name}.bias", self.weights[f"{name}.bias"]))

    def norm(self, hidden: str, name: str) -> str:
        """Layer norm."""
        parts = [self.keep(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        return self.op("LayerNormalization", hidden, *parts, axis=-1, epsilon=_EPSILON)

    def bias(self) -> str:
        """What the distance of two tokens adds to their score: (HEADS, tokens, tokens), the same in every block."""
        if not self._bias:
            table = self.keep("distances.table", self.weights["encoder.relative_attention_bias.weight"])
            self._bias = self.op("Transpose", self.op("Gather", table, "distances"), perm=[2, 0, 1])
        return self._bias

    def tap(self, blocks: int, hidden: str) -> None:
        """The mean over tokens goes out, if it is asked for after so many blocks."""
        if blocks in TAPS:
            self._taps.append(self.op("ReduceMean", hidden, self.number("rows", [0]), keepdims=1))

    def finish(self) -> bytes:
        """The graph, whose answer is the taps one below the other: (len(TAPS), WIDTH)."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        self._nodes.append(helper.make_node("Concat", self._taps, ["layers"], axis=0))
        inputs = [helper.make_tensor_value_info("ids", kinds.INT64, ["tokens"]),
                  helper.make_tensor_value_info("places", kinds.INT64, ["tokens"]),
                  helper.make_tensor_value_info("distances", kinds.INT64, ["tokens", "tokens"])]
        output = helper.make_tensor_value_info("layers", kinds.FLOAT, [len(TAPS), WIDTH])
        graph = helper.make_graph(self._nodes, "mpnet", inputs, [output], list(self._kept.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_FORMAT)
        return bytes(model.SerializeToString())


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

"""The engine's weights: those of the safetensors file, turned so that products need no copies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.engine_embedding import EmbeddingWeights
from polymd.potentials.polyget.engine_nodes import LayerWeights
from polymd.potentials.polyget.engine_readout import ReadoutWeights
from polymd.potentials.polyget.hermite import Table, filter_knots, make_table

Weights = dict[str, NDArray[Any]]
FILTER = ("linear.weight", "linear.bias", "basis.centres", "basis.widths")


def _float32(*arrays: Any) -> list[NDArray[np.float32]]:
    return [np.ascontiguousarray(array, dtype=np.float32) for array in arrays]


def _double(weights: Weights, name: str) -> NDArray[np.float64]:
    return np.asarray(weights[name], dtype=np.float64)


def tables(weights: Weights, layers: int, cutoff: float, knots: int) -> list[Table]:
    """Hermite tables of the embedding's and every layer's filters."""
    names = ["embedding.filters", *(f"layers.{n}.filters" for n in range(layers))]
    rows = [filter_knots([weights[f"{name}.{k}"] for k in FILTER], cutoff, knots) for name in names]
    return [make_table(row, cutoff) for row in rows]


def embedding(weights: Weights, table: Table) -> EmbeddingWeights:
    """Embeddings times the halves of the product that combines them; its bias goes with the atom's own."""
    combine, bias = _double(weights, "embedding.combine.weight"), _double(weights, "embedding.combine.bias")
    c = len(combine)
    own = _double(weights, "embedding.own.weight") @ combine[:, :c].T + bias
    near = combine[:, c:]
    own32, combine32, back32, value = _float32(own, near.T, near, weights["embedding.neighbour.weight"])
    return EmbeddingWeights(own32, combine32, back32, value, table)


def layer(weights: Weights, n: int) -> LayerWeights:
    """Of layer n; the weight and bias of its norm go into the projection. vec = 0 in the first: see
    `engine_nodes.py`.
    """
    name = f"layers.{n}"
    project = _double(weights, f"{name}.project.weight")
    bias = _double(weights, f"{name}.project.bias") + project @ _double(weights, f"{name}.norm.bias")
    project = project * _double(weights, f"{name}.norm.weight")
    output, output_bias = weights[f"{name}.output.weight"], weights[f"{name}.output.bias"]
    mix = weights[f"{name}.vector_mix.weight"]
    c = project.shape[1]
    if n == 0:
        project, bias = project[: 4 * c], bias[: 4 * c]
        output, output_bias = output[2 * c :], output_bias[2 * c :]
    return LayerWeights(*_float32(project.T, bias, project, mix.T, mix, output.T, output_bias, output))


def readout(weights: Weights) -> ReadoutWeights:
    """The weight and bias of the readout's norm go into the first block's scalar network."""
    first, second = "readout.first", "readout.second"
    both = np.concatenate([weights[f"{first}.vector_norm.weight"], weights[f"{first}.vector_out.weight"]])
    a = _double(weights, f"{first}.scalar.0.weight").copy()
    c = a.shape[0]
    bias = _double(weights, f"{first}.scalar.0.bias") + a[:, :c] @ _double(weights, "readout.norm.bias")
    a[:, :c] *= _double(weights, "readout.norm.weight")
    s, u2 = weights[f"{first}.scalar.2.weight"], weights[f"{second}.vector_norm.weight"]
    b = weights[f"{second}.scalar.0.weight"]
    return ReadoutWeights(
        *_float32(both.T, both, a.T, bias, a, s.T, weights[f"{first}.scalar.2.bias"], s, u2.T, u2),
        *_float32(b.T, weights[f"{second}.scalar.0.bias"], b),
        *_float32(weights[f"{second}.scalar.2.weight"][0], weights[f"{second}.scalar.2.bias"][:1]),
    )

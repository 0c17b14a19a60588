"""PolyGET in torch with its sums over neighbours in Numba: first derivatives only, CPU, float32.

The node-wise half runs in torch and is differentiated by autograd; the sums over pairs are autograd
functions around `pair_messages.py`, which give gradients to positions and to the radial tables, hence to
every parameter.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from polymd.potentials.polyget import pair_embedding
from polymd.potentials.polyget.hermite import make_table
from polymd.potentials.polyget.model import PolyGET
from polymd.potentials.polyget.pair_messages import Pairs, backward_kernel, forward_kernel

KNOTS = 256
UNUSED = np.zeros((1, 1, 1), np.float32)


def _array(t: Tensor) -> Any:
    return t.detach().contiguous().numpy()


def _zeros(like: Any, wanted: bool = True) -> tuple[Tensor | None, Any]:
    """A gradient to fill and its array; None and a dummy where it is not wanted."""
    if not wanted:
        return None, np.zeros((1,) * like.ndim, np.float32)
    gradient = torch.zeros(like.shape)
    return gradient, gradient.numpy()


class _Messages(torch.autograd.Function):
    """(distance, unit, knots, node, w) -> X (N, C), V (N, 3, C); `w` is None in the first layer."""

    @staticmethod
    def forward(
        ctx: Any,
        atoms: Any,
        cutoff: float,
        heads: int,
        distance: Tensor,
        unit: Tensor,
        knots: Tensor,
        node: Tensor,
        w: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        n, c = node.shape[0], node.shape[1] // 4
        pairs, table = Pairs(atoms, _array(distance), _array(unit)), make_table(_array(knots), cutoff)
        x, v = torch.zeros(n, c), torch.zeros(n, 3, c)
        ctx.sizes = c, heads, w is not None
        ctx.arrays = pairs, table, _array(node), UNUSED if w is None else _array(w)
        forward_kernel(*ctx.sizes)(*ctx.arrays, x.numpy(), v.numpy())
        return x, v

    @staticmethod
    def backward(ctx: Any, g_x: Tensor, g_v: Tensor) -> tuple[Any, ...]:
        pairs, table, node, w = ctx.arrays
        to_positions, to_table = ctx.needs_input_grad[3], ctx.needs_input_grad[5]
        g_node, node_array = _zeros(node)
        g_w, w_array = _zeros(w, ctx.sizes[2])
        g_d, d_array = _zeros(pairs.distance, to_positions)
        g_u, u_array = _zeros(pairs.unit, to_positions)
        g_knots, knots_array = _zeros(table.knots, to_table)
        backward_kernel(*ctx.sizes, to_positions, to_table)(
            *ctx.arrays, _array(g_x), _array(g_v), node_array, w_array, d_array, u_array, knots_array
        )
        return None, None, None, g_d, g_u, g_knots, g_node, g_w


class _Gather(torch.autograd.Function):
    """(distance, knots, value) -> sum over neighbours of value_j f(d_ij), (N, C)."""

    @staticmethod
    def forward(
        ctx: Any, atoms: Any, cutoff: float, distance: Tensor, knots: Tensor, value: Tensor
    ) -> Tensor:
        d = _array(distance)
        ctx.arrays = Pairs(atoms, d, UNUSED[0]), make_table(_array(knots), cutoff), _array(value)
        out = torch.zeros(value.shape)
        pair_embedding.forward(*ctx.arrays, out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, g_out: Tensor) -> tuple[Any, ...]:
        pairs, table, value = ctx.arrays
        to_positions, to_weights = ctx.needs_input_grad[2], ctx.needs_input_grad[3]
        g_d, d_array = _zeros(pairs.distance, to_positions)
        if to_positions:
            pair_embedding.backward_to_positions(pairs, table, value, _array(g_out), d_array)
        g_value, value_array = _zeros(value, to_weights)
        g_knots, knots_array = _zeros(table.knots, to_weights)
        if to_weights:
            pair_embedding.backward_to_weights(pairs, table, value, _array(g_out), value_array, knots_array)
        return None, None, g_d, g_knots, g_value


def tables(model: PolyGET, knots: int = KNOTS) -> list[Tensor]:
    """Hermite tables of the embedding's and every layer's filters; differentiable."""
    filters = [model.embedding.filters, *(layer.filters for layer in model.layers)]
    return [f.table(knots) for f in filters]  # type: ignore[union-attr, operator]


def atomic_energies(
    model: PolyGET, numbers: Tensor, positions: Tensor, pairs: Tensor, filters: list[Tensor]
) -> Tensor:
    """Atomic energies (N,) eV from a half list of pairs (P, 2) int32 in open boundaries; filters from
    `tables`.
    """
    long = pairs.long()
    vectors = positions.index_select(0, long[:, 1]) - positions.index_select(0, long[:, 0])
    d = torch.sqrt((vectors * vectors).sum(dim=1))
    u = vectors / d.unsqueeze(1)
    atoms = pairs.numpy()
    species = model.species.index_select(0, numbers)
    value = model.embedding.neighbour(species)
    near = _Gather.apply(atoms, model.cutoff, d, filters[0], value)  # type: ignore[no-untyped-call]
    x = model.embedding(species, near)
    vec = torch.zeros(x.shape[0], 3, x.shape[1])
    for n, layer in enumerate(model.layers):
        node, w = layer.prepare(x, vec)  # type: ignore[operator]
        message, vec_message = _Messages.apply(  # type: ignore[no-untyped-call]
            atoms, model.cutoff, model.heads, d, u, filters[n + 1], node, w if n else None
        )
        x, vec = layer.update(x, vec, message, vec_message)  # type: ignore[operator]
    energies: Tensor = model.readout(x, vec)
    return energies

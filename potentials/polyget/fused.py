"""PolyGET in torch with its sums over neighbours in Numba: first derivatives only, CPU, float32.

The node-wise half runs in torch and is differentiated by autograd; the sums over pairs are autograd
functions around `kernels.py`, which give gradients to positions and to the radial tables, hence to every
parameter.
"""

from typing import Any

import torch
from torch import Tensor

from polymd.potentials.polyget.kernels import backward_kernel, forward_kernel, gather_backward, gather_forward
from polymd.potentials.polyget.model import PolyGET

KNOTS = 256


def _array(t: Tensor) -> Any:
    return t.detach().contiguous().numpy()


class _Messages(torch.autograd.Function):
    """(distance, unit, table, node, w) -> X (N, C), V (N, 3, C); `w` is None in the first layer."""

    @staticmethod
    def forward(
        ctx: Any,
        pairs: Tensor,
        inverse_spacing: float,
        heads: int,
        distance: Tensor,
        unit: Tensor,
        table: Tensor,
        node: Tensor,
        w: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        n, c = node.shape[0], node.shape[1] // 4
        x, v = torch.zeros(n, c), torch.zeros(n, 3, c)
        arrays = [_array(t) for t in (distance, unit, table, node)]
        arrays.append(v.numpy() if w is None else _array(w))
        forward_kernel(c, heads, w is not None)(
            pairs.numpy(),
            arrays[0],
            arrays[1],
            arrays[2],
            inverse_spacing,
            arrays[3],
            arrays[4],
            x.numpy(),
            v.numpy(),
        )
        ctx.pairs, ctx.arrays, ctx.heads, ctx.inverse_spacing = pairs, arrays, heads, inverse_spacing
        ctx.with_vectors = w is not None
        return x, v

    @staticmethod
    def backward(ctx: Any, g_x: Tensor, g_v: Tensor) -> tuple[Any, ...]:
        distance, unit, table, node, w = ctx.arrays
        to_positions, to_table = ctx.needs_input_grad[3], ctx.needs_input_grad[5]
        c = node.shape[1] // 4
        g_node = torch.zeros(node.shape)
        g_w = torch.zeros(w.shape) if ctx.with_vectors else torch.zeros(1, 3, 1)
        g_d = torch.zeros(distance.shape if to_positions else (1,))
        g_u = torch.zeros(unit.shape if to_positions else (1, 3))
        g_table = torch.zeros(table.shape if to_table else (1, 1, 1))
        backward_kernel(c, ctx.heads, ctx.with_vectors, to_positions, to_table)(
            ctx.pairs.numpy(),
            distance,
            unit,
            table,
            ctx.inverse_spacing,
            node,
            w,
            _array(g_x),
            _array(g_v),
            g_node.numpy(),
            g_w.numpy(),
            g_d.numpy(),
            g_u.numpy(),
            g_table.numpy(),
        )
        return (
            None,
            None,
            None,
            g_d if to_positions else None,
            g_u if to_positions else None,
            g_table if to_table else None,
            g_node,
            g_w if ctx.with_vectors else None,
        )


class _Gather(torch.autograd.Function):
    """(distance, table, value) -> sum over neighbours of value_j f(d_ij), (N, C)."""

    @staticmethod
    def forward(
        ctx: Any, pairs: Tensor, inverse_spacing: float, distance: Tensor, table: Tensor, value: Tensor
    ) -> Tensor:
        out = torch.zeros(value.shape)
        ctx.arrays = pairs.numpy(), _array(distance), _array(table), inverse_spacing, _array(value)
        gather_forward(*ctx.arrays, out.numpy())  # type: ignore[call-arg]
        return out

    @staticmethod
    def backward(ctx: Any, g_out: Tensor) -> tuple[Any, ...]:
        _, distance, table, _, value = ctx.arrays
        to_positions, to_table = ctx.needs_input_grad[2], ctx.needs_input_grad[3]
        g_value, g_d, g_table = (
            torch.zeros(value.shape),
            torch.zeros(distance.shape),
            torch.zeros(table.shape),
        )
        gather_backward(  # type: ignore[call-arg]
            *ctx.arrays, _array(g_out), g_value.numpy(), g_d.numpy(), g_table.numpy(), to_positions, to_table
        )
        return None, None, g_d if to_positions else None, g_table if to_table else None, g_value


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
    inverse_spacing = (filters[0].shape[0] - 1) / model.cutoff
    species = model.species.index_select(0, numbers)
    near = _Gather.apply(pairs, inverse_spacing, d, filters[0], model.embedding.neighbour(species))  # type: ignore[no-untyped-call]
    x = model.embedding(species, near)
    vec = torch.zeros(x.shape[0], 3, x.shape[1])
    for n, layer in enumerate(model.layers):
        node, w = layer.prepare(x, vec)  # type: ignore[operator]
        messages = _Messages.apply(  # type: ignore[no-untyped-call]
            pairs, inverse_spacing, model.heads, d, u, filters[n + 1], node, w if n else None
        )
        x, vec = layer.update(x, vec, *messages)  # type: ignore[operator]
    energies: Tensor = model.readout(x, vec)
    return energies

"""The torch operator `polymd::neighbor_pairs`, registered by importing this module.

TorchScript modules call it as `torch.ops.polymd.neighbor_pairs(positions, cell, pbc, cutoff)`. On CPU it is
the Numba list, on CUDA plain torch, or torch_cluster's kernel for open boundaries where it is installed.
Nothing flows back through it: the caller recomputes vectors as `positions[j] - positions[i] + shifts @ cell`,
and differentiates these.
"""

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from polymd.neighbors.lists import neighbor_list

CHUNK = 2**22
"""Distances that the torch kernel holds at a time."""

TORCH_CLUSTER = find_spec("torch_cluster") is not None


@torch.library.custom_op("polymd::neighbor_pairs", mutates_args=(), device_types="cpu")
def neighbor_pairs(positions: Tensor, cell: Tensor, pbc: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """All pairs closer than the cutoff, each in both directions.

    Parameters
    ----------
    positions
        (N, 3) in Å, float32 or float64.
    cell, pbc
        (3, 3) in Å and (3,) bool; rows of open directions are not read.
    cutoff
        in Å.

    Returns
    -------
    edge_index (2, E) int64, first atoms ascending, and shifts (E, 3) of the positions' type.

    Raises
    ------
    ValueError
        on CPU as `polymd.neighbors.neighbor_list`; elsewhere for a singular cell or a cutoff not above zero.
    """
    x, lattice, periodic = (t.detach().numpy() for t in (positions, cell, pbc))
    i, j, s = neighbor_list("ijS", x, lattice, periodic, cutoff)
    edge_index = torch.empty((2, len(i)), dtype=torch.int64)
    edge_index[0], edge_index[1] = torch.from_numpy(i), torch.from_numpy(j)
    return edge_index, torch.from_numpy(s).to(positions.dtype)


@neighbor_pairs.register_kernel("cuda")
def neighbor_pairs_torch(
    positions: Tensor, cell: Tensor, pbc: Tensor, cutoff: float
) -> tuple[Tensor, Tensor]:
    """The same on any device, O(N²) work, O(N + E) memory: by torch_cluster where it can, else from all
    distances, a chunk of them at a time.
    """
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"cutoff is {cutoff}; give a finite length above 0, in Å")
    x = positions.detach()
    if TORCH_CLUSTER and not pbc.any():
        return open_pairs(x, cutoff)
    wraps, images = _images(x, cell.detach().to(x), pbc, cutoff)
    offsets = images @ cell.detach().to(x).nan_to_num()
    x = x - wraps @ cell.detach().to(x).nan_to_num()
    n, k = len(x), len(images)
    rows = max(1, CHUNK // max(1, n * k))
    found = []
    for begin in range(0, n, rows):
        vectors = (x[None, :, None] - x[begin : begin + rows, None, None]) + offsets
        close = vectors.square().sum(-1) < cutoff**2
        first, second, image = close.nonzero(as_tuple=True)
        found.append(torch.stack((first + begin, second, image)))
    i, j, image = torch.cat(found, dim=1) if found else x.new_empty((3, 0), dtype=torch.int64)
    other = (i != j) | (image != k // 2)
    i, j, image = i[other], j[other], image[other]
    return torch.stack((i, j)), images[image] + wraps[i] - wraps[j]


def open_pairs(x: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """The same by torch_cluster, for open boundaries; it wants a largest number of neighbours."""
    from torch_cluster import radius_graph

    most, largest = 64, 64
    while largest >= most:
        most *= 2
        edge_index = radius_graph(x, cutoff, max_num_neighbors=most, flow="target_to_source")
        largest = int(edge_index[0].bincount().max()) if edge_index.numel() else 0
    close = (x[edge_index[1]] - x[edge_index[0]]).square().sum(dim=1) < cutoff**2
    edge_index = edge_index[:, close]
    return edge_index, x.new_zeros((edge_index.shape[1], 3))


def _images(x: Tensor, cell: Tensor, pbc: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """Lattice vectors to take off each atom (N, 3), and all shifts within the cutoff (K, 3), 0 amid."""
    periodic = pbc.to(x.device)
    lattice = torch.where(periodic[:, None], cell, torch.zeros_like(cell))
    inverse = torch.linalg.pinv(lattice)
    if torch.linalg.matrix_rank(lattice) < periodic.sum():
        raise ValueError(f"cell {cell.tolist()} is singular with pbc {pbc.tolist()}")
    wraps = torch.floor(x @ inverse) * periodic
    reach = torch.where(periodic, torch.ceil(cutoff * torch.linalg.norm(inverse, dim=0)), 0)
    ranges = [torch.arange(-r, r + 1, device=x.device, dtype=x.dtype) for r in reach.tolist()]
    return wraps, torch.cartesian_prod(*ranges)


@neighbor_pairs.register_fake
def _(positions: Tensor, cell: Tensor, pbc: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    edges = torch.library.get_ctx().new_dynamic_size()
    return positions.new_empty((2, edges), dtype=torch.int64), positions.new_empty((edges, 3))


def _no_gradient(context: Any, *gradients: Tensor | None) -> tuple[None, None, None, None]:
    """Pairs are chosen, not differentiated."""
    return None, None, None, None


neighbor_pairs.register_autograd(_no_gradient)

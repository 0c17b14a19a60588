"""Neighbour lists: Numba cell list, Verlet skin; the torch operator is in `polymd.neighbors.torch_op`."""

from polymd.neighbors.lists import CSR, neighbor_list, symmetric_csr
from polymd.neighbors.verlet import VerletList

__all__ = ["CSR", "VerletList", "neighbor_list", "symmetric_csr"]

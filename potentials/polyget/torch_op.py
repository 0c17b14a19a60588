"""The torch operator `polymd::polyget`, registered by importing this module: the fast engine, with forces.

TorchScript modules call it as `torch.ops.polymd.polyget(positions, cell, numbers, pbc, model)`. It runs on
the CPU only and is not differentiable: forces are an output.
"""

from functools import lru_cache
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from polymd.potentials.backends import NumbaBackend


@lru_cache(maxsize=16)
def _backend(model: str, numbers: bytes) -> tuple[NumbaBackend, Lock]:
    """One backend for all callers with these atoms, who take turns."""
    return NumbaBackend(np.frombuffer(numbers, dtype=np.int64), model), Lock()


@torch.library.custom_op("polymd::polyget", mutates_args=(), device_types="cpu")
def polyget(
    positions: Tensor, cell: Tensor, numbers: Tensor, pbc: Tensor, model: str
) -> tuple[Tensor, Tensor]:
    """Energy () in eV and forces (N, 3) in eV/Å, both float64.

    Parameters
    ----------
    positions, cell
        (N, 3) and (3, 3) in Å.
    numbers
        (N,) int64, atomic numbers.
    pbc
        (3,) bool.
    model
        name or file of a model, as for `PolyGETCalculator`.

    Raises
    ------
    ValueError
        as `PolyGETCalculator`.
    """
    backend, lock = _backend(model, numbers.numpy().tobytes())
    x, lattice = (t.detach().to(torch.float64).numpy() for t in (positions, cell))
    with lock:
        result = backend.evaluate(x, lattice, pbc.numpy())
    return torch.tensor(result.energy, dtype=torch.float64), torch.from_numpy(result.forces)

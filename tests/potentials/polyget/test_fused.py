"""Torch with Numba sums over neighbours against plain torch."""

import numpy as np
import torch
from ase import Atoms

from polymd import testing
from polymd.potentials.polyget import fused
from polymd.potentials.polyget.model import PolyGET


def test_energies_forces_and_parameter_gradients(random_model: PolyGET, molecule: Atoms) -> None:
    model = random_model.requires_grad_(True)
    distances = molecule.get_all_distances()
    i, j = np.nonzero((distances < 5.0) & (distances > 0))
    x = torch.tensor(molecule.positions, dtype=torch.float32, requires_grad=True)
    numbers = torch.from_numpy(molecule.numbers)
    vectors = x[j] - x[i]
    d = vectors.norm(dim=1)
    species = model.species[numbers]
    expected = model.network(species, d, vectors / d[:, None], torch.from_numpy(i), torch.from_numpy(j))
    half = i < j
    pairs = torch.from_numpy(np.stack([i[half], j[half]], axis=1).astype(np.int32))
    energies = fused.atomic_energies(model, numbers, x, pairs, fused.tables(model, 1024))
    torch.testing.assert_close(energies, expected, atol=testing.SYMMETRY_ATOL32, rtol=testing.FLOAT32_RTOL)
    parameters = [x, *(p for p in model.parameters())]
    weights = torch.randn(len(numbers), generator=torch.Generator().manual_seed(0))
    wanted = torch.autograd.grad((weights * expected).sum(), parameters, allow_unused=True)
    got = torch.autograd.grad((weights * energies).sum(), parameters, allow_unused=True)
    for a, b in zip(got, wanted, strict=True):
        if b is None:
            assert a is None
        else:
            assert (a - b).norm() <= 1e-4 * b.norm() + 1e-5

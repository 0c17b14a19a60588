"""The torch-free engine against the torch module in float64."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list

from polymd import testing
from polymd.potentials.polyget import engine
from polymd.potentials.polyget.engine import Engine
from polymd.potentials.polyget.model import Architecture, PolyGET


def reference(
    model: PolyGET, atoms: Atoms, i: np.ndarray, j: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    leaf = torch.from_numpy(vectors).requires_grad_()
    energies = model.double()(torch.from_numpy(atoms.numbers), leaf, torch.from_numpy(np.stack([i, j])))
    (gradient,) = torch.autograd.grad(energies.sum(), leaf)
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, i, gradient.numpy())
    np.add.at(forces, j, -gradient.numpy())
    return energies.detach().numpy(), forces


def engine_forces(
    engine: Engine, atoms: Atoms, i: np.ndarray, j: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    half = i < j
    pairs = np.stack([i[half], j[half]], axis=1).astype(np.int32)
    result = engine.compute(atoms.numbers, pairs, vectors[half])
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, pairs[:, 0], result.gradient)
    np.add.at(forces, pairs[:, 1], -result.gradient)
    return result.energies, forces


def test_energies_and_forces(random_model: PolyGET, molecule: Atoms) -> None:
    arch = Architecture(channels=32, layers=2, heads=4)
    random_model.atomic_energies += torch.arange(8)
    i, j, vectors = primitive_neighbor_list("ijD", molecule.pbc, molecule.cell, molecule.positions, 5.0)
    engine = Engine({k: v.numpy() for k, v in random_model.state_dict().items()}, arch.to_dict())
    energies, forces = engine_forces(engine, molecule, i, j, vectors)
    expected = reference(random_model, molecule, i, j, vectors)
    np.testing.assert_allclose(energies, expected[0], atol=testing.SYMMETRY_ATOL32)
    assert np.linalg.norm(forces - expected[1]) < testing.ENGINE_FORCE_RTOL * np.linalg.norm(expected[1])


def test_forces_converge_with_the_number_of_knots(random_model: PolyGET, molecule: Atoms) -> None:
    arch = Architecture(channels=32, layers=2, heads=4).to_dict()
    weights = {k: v.numpy().copy() for k, v in random_model.state_dict().items()}
    i, j, vectors = primitive_neighbor_list("ijD", molecule.pbc, molecule.cell, molecule.positions, 5.0)
    expected = reference(random_model, molecule, i, j, vectors)[1]
    errors = [
        np.linalg.norm(engine_forces(Engine(weights, arch, knots), molecule, i, j, vectors)[1] - expected)
        for knots in (32, 64, 128)
    ]
    assert errors[0] > 4 * errors[1] > 16 * errors[2]


def test_parts_in_threads_add_up_to_the_whole(
    random_model: PolyGET, molecule: Atoms, monkeypatch: pytest.MonkeyPatch
) -> None:
    arch = Architecture(channels=32, layers=2, heads=4)
    i, j, vectors = primitive_neighbor_list("ijD", molecule.pbc, molecule.cell, molecule.positions, 5.0)
    model = Engine({k: v.numpy() for k, v in random_model.state_dict().items()}, arch.to_dict())
    energies, forces = engine_forces(model, molecule, i, j, vectors)
    monkeypatch.setattr(engine, "PAIRS_A_THREAD", 40)
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 3)
    in_parts = engine_forces(model, molecule, i, j, vectors)
    np.testing.assert_allclose(in_parts[0], energies, atol=testing.SYMMETRY_ATOL32)
    np.testing.assert_allclose(in_parts[1], forces, atol=testing.SYMMETRY_ATOL32)

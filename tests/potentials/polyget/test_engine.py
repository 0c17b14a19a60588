"""The torch-free engine against the torch module in float64."""

import numpy as np
import torch
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list

from polymd import testing
from polymd.potentials.polyget.engine import Engine
from polymd.potentials.polyget.kernels import backward_chunks, forward_chunks
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


def test_chunks_of_pairs_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(2)
    n, p, c, heads = 30, 400, 32, 4

    def random(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    pairs = np.sort(rng.integers(0, n, (p, 2)), axis=1).astype(np.int32)
    d = rng.uniform(0.8, 5.0, p).astype(np.float32)
    common = (
        pairs,
        d,
        random(p, 3),
        random(64, 2, 4 * c),
        np.float32(63 / 5.0),
        random(n, 4 * c),
        random(n, 3, c),
    )
    g_x, g_v = random(n, c), random(n, 3, c)
    results = []
    for parts in (1, 3):
        bounds = np.linspace(0, p, parts + 1).astype(np.int64)
        x, v = np.zeros((parts, n, c), np.float32), np.zeros((parts, n, 3, c), np.float32)
        forward_chunks(c, heads, True)(bounds, *common, x, v)
        g_node, g_w = np.zeros((parts, n, 4 * c), np.float32), np.zeros((parts, n, 3, c), np.float32)
        g_d, g_u = np.zeros(p, np.float32), np.zeros((p, 3), np.float32)
        backward_chunks(c, heads, True)(bounds, *common, g_x, g_v, g_node, g_w, g_d, g_u)
        results.append([x.sum(0), v.sum(0), g_node.sum(0), g_w.sum(0), g_d, g_u])
    for whole, parts_sum in zip(*results, strict=True):
        np.testing.assert_allclose(parts_sum, whole, atol=1e-4 * np.abs(whole).max())

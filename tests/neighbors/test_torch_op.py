import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from polymd.neighbors import torch_op
from polymd.neighbors.torch_op import neighbor_pairs, neighbor_pairs_torch, open_pairs

from .systems import System, ase_edges, edges, systems


def tensors(system: System) -> tuple[Tensor, Tensor, Tensor, float]:
    positions, cell, pbc, cutoff = system
    return torch.from_numpy(positions), torch.from_numpy(cell), torch.from_numpy(pbc), cutoff


def some_system(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, float]:
    rng = np.random.default_rng(2)
    positions = torch.from_numpy(rng.uniform(-5, 15, (60, 3))).to(dtype)
    return positions, torch.eye(3, dtype=dtype) * 9.0, torch.tensor([True, False, True]), 4.0


class PairEnergy(torch.nn.Module):
    """Sum of squared distances below the cutoff, through the operator."""

    def forward(self, positions: Tensor, cell: Tensor, pbc: Tensor, cutoff: float) -> Tensor:
        edge_index, shifts = torch.ops.polymd.neighbor_pairs(positions, cell, pbc, cutoff)
        vectors = positions[edge_index[1]] - positions[edge_index[0]] + shifts @ cell
        return vectors.square().sum()


@settings(max_examples=50, deadline=None)
@given(systems(max_atoms=25))
def test_both_kernels_give_the_pairs_of_ase(system: System) -> None:
    for kernel in (neighbor_pairs, neighbor_pairs_torch):
        edge_index, shifts = kernel(*tensors(system))
        assert edge_index.dtype == torch.int64
        assert shifts.dtype == torch.float64
        assert edges(edge_index.numpy().T, shifts.numpy()) == ase_edges(system)
        assert (edge_index[0].diff() >= 0).all()


@pytest.mark.parametrize("kernel", [neighbor_pairs, neighbor_pairs_torch])
def test_shifts_have_the_type_of_the_positions(kernel) -> None:  # type: ignore[no-untyped-def]
    assert kernel(*some_system(torch.float32))[1].dtype == torch.float32


def test_chunks_do_not_change_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = neighbor_pairs_torch(*some_system())
    monkeypatch.setattr(torch_op, "CHUNK", 1000)
    for one, other in zip(whole, neighbor_pairs_torch(*some_system()), strict=True):
        assert torch.equal(one, other)


def test_torch_cluster_gives_the_same_pairs() -> None:
    pytest.importorskip("torch_cluster", reason="torch-cluster is optional: make cluster builds it")
    rng = np.random.default_rng(3)
    crowd = torch.from_numpy(rng.uniform(0, 5, (300, 3)))  # of up to some 300 neighbours
    for positions in (crowd, 100.0 * crowd, crowd[:1]):
        found, shifts = open_pairs(positions, 4.0)
        expected, zeros = neighbor_pairs(positions, torch.zeros(3, 3), torch.zeros(3, dtype=torch.bool), 4.0)
        assert torch.equal(shifts, zeros)
        assert set(map(tuple, found.T.tolist())) == set(map(tuple, expected.T.tolist()))
        assert (found[0].diff() >= 0).all()


@pytest.mark.parametrize("kernel", [neighbor_pairs, neighbor_pairs_torch])
def test_bad_input_is_refused(kernel) -> None:  # type: ignore[no-untyped-def]
    positions, cell, pbc, cutoff = some_system()
    with pytest.raises(ValueError, match="cutoff"):
        kernel(positions, cell, pbc, -1.0)
    with pytest.raises(ValueError, match="singular"):
        kernel(positions, torch.zeros(3, 3), pbc, cutoff)


def test_operator_passes_the_checks_of_torch() -> None:
    positions, cell, pbc, cutoff = some_system()
    tests = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(neighbor_pairs, (positions, cell, pbc, cutoff), test_utils=tests)
    torch.library.opcheck(neighbor_pairs, (positions.requires_grad_(), cell, pbc, cutoff), test_utils=tests)


def test_gradient_flows_around_the_operator_in_a_saved_script_module() -> None:
    positions, cell, pbc, cutoff = some_system()
    positions.requires_grad_()
    cell.requires_grad_()
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(PairEnergy()), buffer)
    buffer.seek(0)
    gradients = []
    for model in (PairEnergy(), torch.jit.load(buffer)):
        energy = model(positions, cell, pbc, cutoff)
        gradients.append(torch.autograd.grad(energy, (positions, cell)))
    with torch.no_grad():
        (i, j), shifts = neighbor_pairs(positions, cell, pbc, cutoff)
        vectors = positions[j] - positions[i] + shifts @ cell
        expected = torch.zeros_like(positions).index_add_(0, j, 4 * vectors)
    for on_positions, on_cell in gradients:
        torch.testing.assert_close(on_positions, expected)
        torch.testing.assert_close(on_cell, 2 * shifts.T @ vectors)


def test_open_directions_have_no_shifts() -> None:
    rng = np.random.default_rng(6)
    pbc = torch.tensor([False, True, True])
    for _ in range(20):
        positions, cell = (
            torch.from_numpy(rng.normal(0, 5, (20, 3))),
            torch.from_numpy(rng.normal(0, 5, (3, 3))),
        )
        edge_index, shifts = neighbor_pairs_torch(positions, cell, pbc, 3.0)
        assert edge_index.shape[1] > 0
        assert (shifts[:, 0] == 0).all()

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymd.neighbors import CSR, VerletList

from .systems import System, ase_edges, edges, rows, systems

CUBE = np.eye(3) * 10.0


def close_edges(csr: CSR, positions: np.ndarray, cell: np.ndarray, cutoff: float) -> list[tuple[int, ...]]:
    """Edges of a list that are within the cutoff now, as whoever uses a Verlet list picks them."""
    first = rows(csr.indptr)
    vectors = positions[csr.neighbors] - positions[first] + csr.shifts @ cell
    close = np.linalg.norm(vectors, axis=1) < cutoff
    return edges(first[close], csr.neighbors[close], csr.shifts[close])


@settings(max_examples=40, deadline=None)
@given(systems(max_atoms=25, min_height=3.0), st.floats(0.0, 2.0), st.integers(0, 2**32 - 1))
def test_random_walk_never_misses_a_pair(system: System, skin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions, cell, pbc, cutoff = system
    verlet = VerletList(cutoff, skin)
    for _ in range(15):
        csr = verlet.update(positions, cell, pbc)
        assert close_edges(csr, positions, cell, cutoff) == ase_edges(system._replace(positions=positions))
        positions = positions + rng.normal(0.0, 0.15, positions.shape)


def test_atoms_crossing_boundaries_reuse_the_list() -> None:
    positions = np.array([[9.9, 5.0, 5.0], [0.5, 5.0, 5.0], [5.0, 0.05, 9.95]])
    verlet = VerletList(3.0, 1.0)
    first = verlet.update(positions, CUBE, True)
    crossed = positions + np.array([[0.3, 0.0, 0.0], [-0.3, 0.0, 0.0], [0.0, -0.2, 0.2]])
    csr = verlet.update(crossed, CUBE, True)
    assert csr is first
    assert (verlet.updates, verlet.rebuilds) == (2, 1)
    everywhere = np.array([True, True, True])
    assert close_edges(csr, crossed, CUBE, 3.0) == ase_edges(System(crossed, CUBE, everywhere, 3.0))


def test_rebuilds_at_half_the_skin_from_the_build_not_from_the_last_step() -> None:
    positions = np.zeros((4, 3))
    verlet = VerletList(2.0, 1.0)
    for step in range(1, 12):
        positions[2, 0] = 0.1 * step - 1e-6
        verlet.update(positions, CUBE, True)
    assert (verlet.updates, verlet.rebuilds) == (11, 2)


def test_rebuilds_when_cell_pbc_atoms_or_type_change() -> None:
    positions = np.zeros((4, 3))
    verlet = VerletList(2.0, 1.0)
    for arguments in (
        (positions, CUBE, True),
        (positions, CUBE * 1.0001, True),
        (positions, CUBE, True),
        (positions, CUBE, [True, True, False]),
        (positions[:3], CUBE, [True, True, False]),
        (positions[:3].astype(np.float32), CUBE, [True, True, False]),
    ):
        verlet.update(*arguments)
        verlet.update(*arguments)
    assert (verlet.updates, verlet.rebuilds) == (12, 6)


def test_changes_in_place_are_seen() -> None:
    positions, cell = np.zeros((2, 3)), CUBE.copy()
    verlet = VerletList(2.0, 1.0)
    verlet.update(positions, cell, True)
    positions[1] = 5.0
    assert len(verlet.update(positions, cell, True).neighbors) == 0
    cell[0, 0] = 4.0
    verlet.update(positions, cell, True)
    assert verlet.rebuilds == 3


def test_position_that_is_not_a_number_is_refused_and_not_taken_for_an_atom_at_rest() -> None:
    verlet = VerletList(2.0, 1.0)
    verlet.update(np.zeros((2, 3)), CUBE, True)
    with pytest.raises(ValueError, match="atom 1"):
        verlet.update(np.array([[0.0, 0, 0], [0, np.nan, 0]]), CUBE, True)


def test_batch_keeps_molecules_apart() -> None:
    csr = VerletList(2.0, 1.0, batch=[0, 1, 0]).update(np.zeros((3, 3)), CUBE, False)
    assert csr.neighbors.tolist() == [2, 0]


@pytest.mark.parametrize(("cutoff", "skin"), [(0.0, 1.0), (np.nan, 1.0), (2.0, -0.1), (2.0, np.inf)])
def test_bad_lengths_are_refused(cutoff: float, skin: float) -> None:
    with pytest.raises(ValueError, match="finite length"):
        VerletList(cutoff, skin)

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import primitive_neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from polymd.neighbors import CSR, lists, neighbor_list, symmetric_csr

from .systems import System, ase_edges, edges, rows, systems

CUBE = np.eye(3) * 10.0
LETTERS = ("i", "j", "S", "D", "d")


def check_reverse(csr: CSR) -> None:
    first = rows(csr.indptr)
    assert np.array_equal(csr.neighbors[csr.reverse], first)
    assert np.array_equal(first[csr.reverse], csr.neighbors)
    assert np.array_equal(csr.shifts[csr.reverse], -csr.shifts)
    assert np.array_equal(csr.reverse[csr.reverse], np.arange(len(first)))


@settings(max_examples=150, deadline=None)
@given(systems())
def test_same_pairs_as_ase(system: System) -> None:
    positions, cell, _, cutoff = system
    i, j, s, vectors, distances = neighbor_list("ijSDd", *system)
    assert edges(i, j, s) == ase_edges(system)
    assert (np.diff(i) >= 0).all()
    np.testing.assert_allclose(vectors, positions[j] - positions[i] + s @ cell, atol=1e-12)
    np.testing.assert_allclose(distances, np.linalg.norm(vectors, axis=1), rtol=1e-14)
    assert (distances < cutoff).all()


@settings(max_examples=100, deadline=None)
@given(systems())
def test_csr_has_the_same_pairs_and_their_reverse(system: System) -> None:
    csr = symmetric_csr(*system)
    assert edges(rows(csr.indptr), csr.neighbors, csr.shifts) == ase_edges(system)
    check_reverse(csr)
    assert csr.indptr.dtype == np.int64
    assert csr.neighbors.dtype == csr.shifts.dtype == csr.reverse.dtype == np.int32


@settings(max_examples=100, deadline=None)
@given(systems())
def test_float32_differs_only_by_rounding_at_the_cutoff(system: System) -> None:
    single = system._replace(positions=system.positions.astype(np.float32))
    i, j, s, vectors, distances = neighbor_list("ijSDd", *single)
    assert vectors.dtype == distances.dtype == np.float32
    found = set(edges(i, j, s))
    rounding = 1e-5 * (1.0 + np.abs(system.positions).max(initial=0.0))
    assert found >= set(ase_edges(single._replace(cutoff=system.cutoff - rounding)))
    assert found <= set(ase_edges(single._replace(cutoff=system.cutoff + rounding)))
    check_reverse(symmetric_csr(*single))


@pytest.mark.parametrize("cutoff", [3.0, 5.0, 9.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_cells_each_way(cutoff: float, dtype: type) -> None:
    rng = np.random.default_rng(3)
    cell = np.diag([31.0, 24.0, 40.0]) + rng.uniform(-2.0, 2.0, (3, 3))
    positions = (rng.uniform(-0.5, 1.5, (700, 3)) @ cell).astype(dtype)
    for pbc in (True, False, [True, False, True]):
        system = System(positions, cell, np.broadcast_to(pbc, 3).copy(), cutoff)
        csr = symmetric_csr(*system)
        assert edges(rows(csr.indptr), csr.neighbors, csr.shifts) == ase_edges(system)
        check_reverse(csr)


@pytest.mark.parametrize("cutoff", [4.0, 11.0])
def test_one_atom_cell_with_cutoff_beyond_the_cell(cutoff: float) -> None:
    copper = bulk("Cu")
    system = System(copper.positions, copper.cell.array, copper.pbc, cutoff)
    i, j, s = neighbor_list("ijS", *system)
    assert edges(i, j, s) == ase_edges(system)
    check_reverse(symmetric_csr(*system))


def test_threads_do_not_change_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = np.random.default_rng(4).uniform(0, 30, (400, 3)).astype(np.float32)
    cell = np.eye(3) * 30.0
    reference = symmetric_csr(positions, cell, True, 5.0)
    monkeypatch.setattr(lists, "ATOMS_A_THREAD", 100)
    monkeypatch.setattr(lists.config, "NUMBA_NUM_THREADS", 3)
    for one, other in zip(reference, symmetric_csr(positions, cell, True, 5.0), strict=True):
        assert np.array_equal(one, other)


def test_empty_and_one_atom() -> None:
    for pbc in (True, False):
        for n in (0, 1):
            arrays = neighbor_list("ijSDd", np.zeros((n, 3)), CUBE, pbc, 3.0)
            assert [a.shape for a in arrays] == [(0,), (0,), (0, 3), (0, 3), (0,)]
            csr = symmetric_csr(np.zeros((n, 3)), CUBE, pbc, 3.0)
            assert csr.indptr.tolist() == [0] * (n + 1)
            assert len(csr.reverse) == 0


def test_coincident_atoms_are_neighbours() -> None:
    i, j = neighbor_list("ij", np.ones((2, 3)), CUBE, True, 2.0)
    assert (i.tolist(), j.tolist()) == ([0, 1], [1, 0])


def test_pair_exactly_at_the_cutoff_is_left_out() -> None:
    positions = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    assert len(neighbor_list("d", positions, CUBE, False, 3.0)) == 0
    assert len(neighbor_list("d", positions, CUBE, False, np.nextafter(3.0, 4.0))) == 2


def test_letters_choose_and_order_the_arrays() -> None:
    positions = np.random.default_rng(0).uniform(0, 10, (30, 3))
    reference = dict(zip("ijSDd", neighbor_list("ijSDd", positions, CUBE, True, 4.0), strict=True))
    for letters in ("d", "Dj", "Sij", "dd"):
        found = neighbor_list(letters, positions, CUBE, True, 4.0)
        found = (found,) if len(letters) == 1 else found
        for letter, array in zip(letters, found, strict=True):
            assert np.array_equal(array, reference[letter])


def test_open_directions_ignore_their_cell_vectors() -> None:
    positions = np.random.default_rng(1).uniform(0, 8, (40, 3))
    cell = np.diag([6.0, 0.0, 7.0])
    reference = primitive_neighbor_list("ijS", [True, False, True], cell, positions, 3.0)
    cell[1] = np.nan
    assert edges(*neighbor_list("ijS", positions, cell, [True, False, True], 3.0)) == edges(*reference)


def test_few_atoms_far_apart_need_no_memory_for_the_space_between() -> None:
    positions = np.array(
        [[0.0, 0, 0], [1e12, -1e12, 1e12], [1e12, -1e12, 1e12 + 1], [-3e7, 5e8, 0.0], [1.0, 0, 0]]
    )
    i, j = neighbor_list("ij", positions, np.zeros((3, 3)), False, 1.5)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 4), (1, 2), (2, 1), (4, 0)]


def test_chain_in_a_huge_periodic_box() -> None:
    positions = np.array([[1e-3, 1.0, 1.0], [1e8 - 1.0, 1.0, 1.0], [5e7, 5e7, 5e7]])
    i, j, s = neighbor_list("ijS", positions, np.eye(3) * 1e8, True, 2.0)
    assert edges(i, j, s) == [(0, 1, -1, 0, 0), (1, 0, 1, 0, 0)]


def test_rows_do_not_depend_on_lattice_translations() -> None:
    rng = np.random.default_rng(5)
    positions = rng.uniform(0, 10, (50, 3))
    moved = positions + rng.integers(-3, 4, (50, 3)) @ CUBE
    reference, found = (symmetric_csr(x, CUBE, True, 4.0) for x in (positions, moved))
    vectors = [
        x[csr.neighbors] - x[rows(csr.indptr)] + csr.shifts @ CUBE
        for x, csr in ((positions, reference), (moved, found))
    ]
    assert np.array_equal(reference.neighbors, found.neighbors)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(systems(max_atoms=12), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_batch_is_each_molecule_alone(molecules, random) -> None:  # type: ignore[no-untyped-def]
    pbc, cutoff = molecules[0].pbc, molecules[0].cutoff
    atoms = [(b, k) for b, m in enumerate(molecules) for k in range(len(m.positions))]
    random.shuffle(atoms)
    positions = np.array([molecules[b].positions[k] for b, k in atoms]).reshape(-1, 3)
    batch = np.array([b for b, _ in atoms], dtype=int)
    csr = symmetric_csr(positions, np.array([m.cell for m in molecules]), pbc, cutoff, batch=batch)
    check_reverse(csr)
    found = edges(rows(csr.indptr), csr.neighbors, csr.shifts)
    expected = []
    for b, molecule in enumerate(molecules):
        place = [atoms.index((b, k)) for k in range(len(molecule.positions))]
        alone = ase_edges(molecule._replace(pbc=pbc, cutoff=cutoff))
        expected += [(place[i], place[j], *s) for i, j, *s in alone]
    assert found == sorted(expected)


def test_batch_with_one_open_cell_for_all() -> None:
    positions = np.zeros((6, 3))
    csr = symmetric_csr(positions, np.zeros((3, 3)), False, 1.0, batch=[0, 1, 2, 2, 1, 0])
    assert csr.neighbors.tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantities": "ijx"}, "letters"),
        ({"quantities": ""}, "letters"),
        ({"cutoff": 0.0}, "cutoff is 0.0"),
        ({"cutoff": -1.0}, "above 0"),
        ({"cutoff": np.nan}, "cutoff is nan"),
        ({"cutoff": np.inf}, "finite"),
        ({"positions": [[0.0, 0, 0], [np.nan, 0, 0]]}, "atom 1"),
        ({"positions": [[0.0, 0, 0], [np.inf, 0, 0]]}, "atom 1"),
        ({"positions": np.zeros((3, 2))}, r"\(3, 2\)"),
        ({"positions": np.zeros(3)}, r"give \(N, 3\)"),
        ({"positions": [[1e20, 0.0, 0.0]]}, "blown up"),
        ({"cell": np.zeros((3, 3))}, "singular"),
        ({"cell": [[5.0, 0, 0], [0, 5, 0], [5, 5, 0]]}, "singular"),
        ({"cell": [10.0, 10.0, 10.0]}, r"give \(3, 3\)"),
        ({"cell": np.full((3, 3), np.nan)}, "finite"),
        ({"cell": np.eye(3) * 1e-3}, "images"),
        ({"pbc": [True, False]}, "pbc has shape"),
    ],
)
def test_bad_input_is_refused(change: dict[str, object], message: str) -> None:
    arguments = {"quantities": "ij", "positions": np.zeros((2, 3)), "cell": CUBE, "pbc": True, "cutoff": 3.0}
    with pytest.raises(ValueError, match=message):
        neighbor_list(**(arguments | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("batch", "cells", "message"),
    [
        ([0], CUBE, "batch has shape"),
        ([0.0, 1.0], CUBE, "2 integers"),
        ([0, -1], CUBE, "number the molecules from 0"),
        ([0, 2], np.stack([CUBE, CUBE]), "2 cells"),
    ],
)
def test_bad_batch_is_refused(batch: list[float], cells: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        symmetric_csr(np.zeros((2, 3)), cells, True, 3.0, batch=batch)

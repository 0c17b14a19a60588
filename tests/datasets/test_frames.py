"""Labelled frames: what is written is read, from HDF5 and from extended XYZ, and errors name the fix."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polymd.datasets.frames import LabelledMolecule, read_attributes, read_frames, write_frames


def random_molecule(
    seed: int = 0, *, frames: int = 3, atoms: int = 5, periodic: bool = False
) -> LabelledMolecule:
    rng = np.random.default_rng(seed)
    return LabelledMolecule(
        numbers=rng.choice([1, 6, 8], atoms).astype(np.int64),
        positions=rng.normal(size=(frames, atoms, 3)).astype(np.float32),
        energies=rng.normal(size=frames) * 1e4,
        forces=rng.normal(size=(frames, atoms, 3)).astype(np.float32),
        temperatures=np.full(frames, 300.0 + seed),
        psmiles="*CCO*",
        id=f"molecule {seed}",
        n_units=2,
        kind="ring",
        cells=np.tile(np.diag([10.0, 11.0, 12.0]), (frames, 1, 1)) if periodic else None,
    )


def assert_same(one: LabelledMolecule, other: LabelledMolecule) -> None:
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), frames=st.integers(1, 4), atoms=st.integers(1, 6), periodic=st.booleans())
def test_hdf5_round_trip(tmp_path: Path, seed: int, frames: int, atoms: int, periodic: bool) -> None:
    molecules = [
        random_molecule(seed, frames=frames, atoms=atoms, periodic=periodic),
        random_molecule(seed + 1),
    ]
    write_frames(tmp_path / "frames.h5", molecules, level_of_theory="DFT", sampler="MD")
    read = read_frames(tmp_path / "frames.h5")
    assert len(read) == 2
    for one, other in zip(molecules, read, strict=True):
        assert_same(one, other)
    assert read_attributes(tmp_path / "frames.h5") == {"level_of_theory": "DFT", "sampler": "MD"}


@pytest.mark.parametrize("periodic", [False, True])
def test_extxyz_is_grouped_into_molecules(tmp_path: Path, periodic: bool) -> None:
    molecules = [random_molecule(0, periodic=periodic), random_molecule(5, atoms=4, periodic=periodic)]
    images = []
    for frame in range(3):  # frames of the molecules take turns
        for m in molecules:
            cell = None if m.cells is None else m.cells[frame]
            atoms = Atoms(m.numbers, m.positions[frame], cell=cell, pbc=periodic)
            atoms.info |= {"psmiles": m.psmiles, "kind": m.kind, "n_units": m.n_units, "id": m.id}
            atoms.info["temperature"] = m.temperatures[frame]
            atoms.calc = SinglePointCalculator(atoms, energy=m.energies[frame], forces=m.forces[frame])
            images.append(atoms)
    write(tmp_path / "frames.extxyz", images)
    read = read_frames(tmp_path / "frames.extxyz")
    assert read_attributes(tmp_path / "frames.extxyz") == {}
    assert len(read) == 2
    for one, other in zip(molecules, read, strict=True):
        np.testing.assert_array_equal(one.numbers, other.numbers)
        np.testing.assert_allclose(one.positions, other.positions, atol=1e-6)
        np.testing.assert_allclose(one.forces, other.forces, atol=1e-6)
        np.testing.assert_allclose(one.energies, other.energies, rtol=1e-9)
        assert (one.psmiles, one.kind, one.n_units, one.id) == (
            other.psmiles,
            other.kind,
            other.n_units,
            other.id,
        )
        assert (other.cells is not None) == periodic


def test_groups_and_files_that_say_less(tmp_path: Path) -> None:
    import h5py

    molecule = random_molecule()
    with h5py.File(tmp_path / "bare.h5", "w") as file:
        group = file.create_group("a")
        group["atomic_numbers"], group["positions"] = molecule.numbers, molecule.positions
        group["energies"], group["forces"] = molecule.energies, molecule.forces
    (read,) = read_frames(tmp_path / "bare.h5")
    assert (read.psmiles, read.id, read.kind, read.n_units, read.cells) == ("", "a", "", 0, None)
    assert np.isnan(read.temperatures).all()
    assert read_attributes(tmp_path / "bare.h5") == {}


def test_says_what_is_wrong(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "short.h5", "w") as file:
        file.create_group("a")["positions"] = np.zeros((1, 2, 3))
    (tmp_path / "text.h5").write_text("no HDF5")
    (tmp_path / "text.xyz").write_text("no XYZ")
    write(tmp_path / "unlabelled.xyz", Atoms("H2", [[0, 0, 0], [0, 0, 0.7]]), format="extxyz")
    wrong = {
        "frames.csv": "ends in '.csv'; labelled frames end in .h5",
        "none.h5": "there is no file",
        "short.h5": "group 'a' of .* lacks atomic_numbers, energies, forces",
        "text.h5": "is not an HDF5 file",
        "text.xyz": "is not an extended XYZ file",
        "unlabelled.xyz": "frame 0 of .* has no energy and forces",
    }
    for name, message in wrong.items():
        with pytest.raises(ValueError, match=message):
            read_frames(tmp_path / name)
    with pytest.raises(ValueError, match=re.escape("there is no file")):
        read_attributes(tmp_path / "none.extxyz")

"""Teachers by name; the real AIMNet2 where its files are."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from polymd.datasets.teachers import TeacherError, load_student, load_teacher
from polymd.testing import ADAPTER_ENERGY_RTOL, ADAPTER_FORCE_ATOL, FORCE_RTOL32

WATER, BENZENE = ((a.numbers.astype(np.int64), a.positions) for a in (molecule("H2O"), molecule("C6H6")))


def test_factory_gives_energies_forces_and_std(toy: str) -> None:
    small, large = load_teacher(f"{toy}:make").label([WATER, BENZENE])
    assert small.forces.shape == (3, 3)
    assert large.forces.shape == (12, 3)
    assert large.forces_std is not None
    assert large.forces_std.shape == (12,)
    assert np.isfinite([small.energy, large.energy]).all()


def test_polyget_labels_as_its_calculator(committee_model: str) -> None:
    from ase import Atoms

    from polymd.potentials import PolyGETCalculator

    molecules = [WATER, BENZENE]
    plain, student = (
        load_teacher(committee_model).label(molecules),
        load_student(committee_model).label(molecules),
    )
    for (numbers, positions), bare, labels in zip(molecules, plain, student, strict=True):
        atoms = Atoms(numbers, positions, calculator=PolyGETCalculator(committee_model, committee=True))
        assert labels.energy == pytest.approx(atoms.get_potential_energy(), rel=ADAPTER_ENERGY_RTOL)
        np.testing.assert_allclose(labels.forces, atoms.get_forces(), atol=ADAPTER_FORCE_ATOL)
        assert labels.forces_std is not None
        std = atoms.calc.results["forces_std"]
        np.testing.assert_allclose(labels.forces_std, std, atol=ADAPTER_FORCE_ATOL)
        assert bare.forces_std is None
        np.testing.assert_array_equal(bare.forces, labels.forces)
    with pytest.raises(TeacherError, match="element Fe"):
        load_teacher(committee_model).label([(np.array([26]), np.zeros((1, 3)))])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("aimnet", "did you mean 'aimnet2'"),
        ("no_such_module:make", "module:factory"),
        ("toy_teacher:nothing", "module:factory"),
        ("toy_teacher:os", "module:factory"),
        ("pathlib:Path", "not an ASE calculator"),
    ],
)
def test_bad_names_say_what_is_known(toy: str, name: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        load_teacher(name)


@pytest.mark.parametrize(("name", "module"), [("gfn2", "tblite"), ("dft", "pyscf"), ("dft-tzvp", "pyscf")])
def test_missing_package_names_the_extra(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(wanted: str) -> None:
        raise ImportError(f"No module named {wanted!r}")

    monkeypatch.setattr("polymd.datasets.teachers.base.import_module", absent)
    with pytest.raises(ValueError, match=rf"pip install {module}.*polymd\[teacher\]"):
        load_teacher(name)


def test_missing_model_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="there is no AIMNet2 model"):
        load_teacher("aimnet2", tmp_path)
    metadata = importlib.import_module("importlib.metadata")
    monkeypatch.setattr(metadata, "files", lambda name: [])
    with pytest.raises(ValueError, match=r"Auto3D==2\.3\.1"):
        load_teacher("aimnet2")


@pytest.fixture(scope="module")
def models() -> Path | None:
    """Folder in $POLYMD_AIMNET2, or None for an installed Auto3D."""
    folder = os.environ.get("POLYMD_AIMNET2")
    try:
        load_teacher("aimnet2", folder)
    except ValueError as error:
        pytest.skip(f"needs the AIMNet2 models: {error}")
    return Path(folder) if folder else None


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["aimnet2", "aimnet2-single"])
def test_padding_changes_nothing(name: str, models: Path | None) -> None:
    teacher = load_teacher(name, models)
    together = teacher.label([WATER, BENZENE])
    for alone, padded in zip([teacher.label([WATER])[0], teacher.label([BENZENE])[0]], together, strict=True):
        assert padded.energy == pytest.approx(alone.energy, abs=1e-4)
        np.testing.assert_allclose(padded.forces, alone.forces, atol=1e-4)
        assert (padded.forces_std is None) == (name == "aimnet2-single")


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["aimnet2", "aimnet2-single"])
def test_aimnet2_forces_are_gradients(name: str, models: Path | None) -> None:
    teacher = load_teacher(name, models)
    numbers, x = WATER
    step = 0.01 * np.eye(9).reshape(9, 3, 3)
    labels = teacher.label([(numbers, x + d) for d in step] + [(numbers, x - d) for d in step])
    gradient = np.array([a.energy - b.energy for a, b in zip(labels[:9], labels[9:], strict=True)]) / 0.02
    forces = teacher.label([WATER])[0].forces.ravel()
    assert np.abs(forces + gradient).max() < 30 * FORCE_RTOL32 * max(1.0, np.abs(forces).max())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_unknown_element_is_refused(models: Path | None) -> None:
    with pytest.raises(TeacherError, match="no element 3"):
        load_teacher("aimnet2", models).label([(np.array([3, 1]), np.array([[0.0, 0, 0], [0, 0, 1.6]]))])

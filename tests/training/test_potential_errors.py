"""Errors of a potential: known ones are found, and frames side by side give what each gives alone."""

import dataclasses

import numpy as np
import pytest

from polymd import testing
from polymd.datasets.frames import LabelledMolecule
from polymd.potentials.backends import make_backend
from polymd.training.potential_errors import polyget_predictor, potential_errors


def test_finds_known_errors(molecules: list[LabelledMolecule]) -> None:
    def off(molecule: LabelledMolecule) -> tuple[np.ndarray, np.ndarray]:
        sign = np.where(np.arange(len(molecule.energies)) % 2, 1.0, -1.0)
        return molecule.energies + 7.0 + 0.01 * len(molecule.numbers) * sign, molecule.forces + 0.25

    errors = potential_errors(off, molecules)
    assert errors["frames"] == 30
    assert errors["force_mae"] == pytest.approx(0.25, rel=1e-6)
    assert errors["force_rmse"] == pytest.approx(0.25, rel=1e-6)
    assert errors["energy_mae_per_atom"] == pytest.approx(0.01, rel=1e-6)
    assert set(errors["by_element"]) == {"H", "C", "O", "S"}
    assert set(errors["by_family"]) == {m.psmiles for m in molecules}
    assert errors["by_kind"]["linear"]["frames"] == 30
    assert errors["by_temperature"]["600 K"]["frames"] == 15


def test_cosine_distance_is_that_of_the_angle(molecules: list[LabelledMolecule]) -> None:
    turned = potential_errors(lambda m: (m.energies, -2.0 * m.forces.astype(np.float64)), molecules)
    assert turned["cosine_distance"] == pytest.approx(2.0, rel=1e-6)


def test_one_frame_has_no_energy_error(molecules: list[LabelledMolecule]) -> None:
    one = dataclasses.replace(
        molecules[0],
        positions=molecules[0].positions[:1],
        energies=molecules[0].energies[:1],
        forces=molecules[0].forces[:1],
        temperatures=molecules[0].temperatures[:1],
    )
    assert potential_errors(polyget_predictor("polyget"), [one])["energy_mae_per_atom"] is None
    with pytest.raises(ValueError, match="no frames"):
        potential_errors(polyget_predictor("polyget"), [])


def test_frames_together_are_frames_alone(molecules: list[LabelledMolecule]) -> None:
    molecule = molecules[1]
    energies, forces = polyget_predictor("polyget")(molecule)
    backend = make_backend(molecule.numbers, "polyget", "numba")
    for frame, positions in enumerate(molecule.positions):
        alone = backend.evaluate(positions.astype(np.float64), np.zeros((3, 3)), np.zeros(3, bool))
        assert energies[frame] == pytest.approx(alone.energy, rel=testing.ADAPTER_ENERGY_RTOL)
        np.testing.assert_allclose(forces[frame], alone.forces, atol=testing.ADAPTER_FORCE_ATOL)


def test_periodic_frames_see_their_images(molecules: list[LabelledMolecule]) -> None:
    wide = dataclasses.replace(molecules[0], cells=np.tile(40.0 * np.eye(3), (6, 1, 1)))
    tight = dataclasses.replace(molecules[0], cells=np.tile(4.5 * np.eye(3), (6, 1, 1)))
    predict = polyget_predictor("polyget")
    np.testing.assert_allclose(predict(wide)[1], predict(molecules[0])[1], atol=testing.ADAPTER_FORCE_ATOL)
    assert np.abs(predict(tight)[1] - predict(molecules[0])[1]).max() > 0.01


def test_unknown_elements_and_models_are_refused(molecules: list[LabelledMolecule]) -> None:
    iron = dataclasses.replace(molecules[0], numbers=np.full(6, 26))
    with pytest.raises(ValueError, match="Fe"):
        polyget_predictor("polyget")(iron)
    with pytest.raises(ValueError, match='did you mean "polyget"'):
        polyget_predictor("polygte")

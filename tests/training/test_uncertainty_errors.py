"""Figures of a calibration, on errors drawn from a known one."""

import numpy as np
import pytest

from polymd.potentials.committee import Calibration
from polymd.testing import STATISTICAL_SIGMAS
from polymd.training.uncertainty import fit_calibration
from polymd.training.uncertainty_errors import BINS, NOMINAL, AtomErrors, coverage, uncertainty_errors

TRUE = Calibration(0.05, 0.5, 0.8)
ATOMS, ATOMS_A_FRAME = 40_000, 40


@pytest.fixture(scope="module")
def drawn() -> AtomErrors:
    """Errors with three Gaussian components each, whose variance follows the disagreement."""
    rng = np.random.default_rng(3)
    disagreement = rng.gamma(2.0, 0.05, ATOMS)
    components = rng.normal(size=(ATOMS, 3)) * TRUE(disagreement)[:, None] / np.sqrt(3.0)
    frame = np.repeat(np.arange(ATOMS // ATOMS_A_FRAME), ATOMS_A_FRAME)
    temperature = np.where(frame % 2, 300.0, 1000.0)
    return AtomErrors(disagreement, np.linalg.norm(components, axis=1), frame, temperature)


def test_the_fit_finds_what_was_put_in(drawn: AtomErrors) -> None:
    fitted = fit_calibration(drawn)
    s = drawn.disagreement
    np.testing.assert_allclose(fitted(s), TRUE(s), rtol=0.05)
    assert fitted.exponent == pytest.approx(TRUE.exponent, abs=0.05)


def test_a_calibrated_committee_looks_calibrated(drawn: AtomErrors) -> None:
    results = uncertainty_errors(drawn, TRUE)
    sampling = STATISTICAL_SIGMAS * 0.5 / np.sqrt(ATOMS)
    for p in NOMINAL:
        assert results["coverage"][f"{p:.0%}"] == pytest.approx(p, abs=sampling)
    assert results["miscalibration_area"] < sampling
    assert results["rms_error"] == pytest.approx(results["rms_forces_std"], rel=0.02)
    assert len(results["curve"]) == BINS
    assert sum(point["atoms"] for point in results["curve"]) == ATOMS
    for point in results["curve"]:
        assert point["rms_error"] == pytest.approx(point["forces_std"], rel=0.06)
    assert results["calibration_error"] < 0.03
    assert 0.4 < results["rank_correlation"] < 0.9
    assert results["frames"] == ATOMS // ATOMS_A_FRAME
    largest = TRUE(drawn.disagreement).reshape(-1, ATOMS_A_FRAME).max(axis=1)
    assert results["largest_forces_std"]["90%"] == pytest.approx(np.percentile(largest, 90))


def test_too_small_an_uncertainty_is_found_out(drawn: AtomErrors) -> None:
    results = uncertainty_errors(drawn, Calibration(TRUE.floor, TRUE.scale / 2, TRUE.exponent))
    assert results["calibration_error"] == pytest.approx(1.0, abs=0.05)
    assert results["coverage"]["95%"] < 0.6
    assert results["miscalibration_area"] > 0.2


def test_temperatures_apart(drawn: AtomErrors) -> None:
    results = uncertainty_errors(drawn, TRUE)
    assert set(results["by_temperature"]) == {"300 K", "1000 K"}
    assert results["by_temperature"]["300 K"]["atoms"] == ATOMS // 2


def test_ranks() -> None:
    s, frame = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 0, 1, 1])
    ordered = AtomErrors(s, s**3, frame, np.full(4, np.nan))
    results = uncertainty_errors(ordered, TRUE)
    assert results["rank_correlation"] == pytest.approx(1.0)
    assert results["frame_rank_correlation"] == pytest.approx(1.0)
    assert results["by_temperature"] == {}
    assert uncertainty_errors(ordered, Calibration(0.1, 1.0, 0.0))["rank_correlation"] is None


def test_coverage_counts_atoms_in_the_ball() -> None:
    """Half of a Gaussian of unit components is within 1.538 of its centre."""
    error = np.array([1.53, 1.54])
    assert coverage(np.full(2, np.sqrt(3.0)), error, 0.5) == 0.5

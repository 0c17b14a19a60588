"""Means of correlated series whose true standard error is known."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.signal import lfilter

from polymd.observables import Estimate, mean_with_error, ratio_with_error
from polymd.testing import ERROR_BAR_RTOL


def autoregressive(n: int, correlation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A stationary AR(1) series of unit variance."""
    noise = rng.normal(size=n) * math.sqrt(1.0 - correlation**2)
    noise[0] = rng.normal()
    return np.asarray(lfilter([1.0], [1.0, -correlation], noise))


def true_error(n: int, correlation: float) -> float:
    """Standard error of the mean of n samples of that series, exactly."""
    lag = np.arange(1, n)
    return math.sqrt((1.0 + 2.0 * np.sum((1.0 - lag / n) * correlation**lag)) / n)


@pytest.mark.parametrize("time", [0.5, 5.0, 20.0])
def test_error_of_an_ar1_series(time: float) -> None:
    correlation, n = math.exp(-1.0 / time), 4000
    rng = np.random.default_rng(0)
    errors = [mean_with_error(autoregressive(n, correlation, rng)).error for _ in range(200)]
    assert np.mean(errors) == pytest.approx(true_error(n, correlation), rel=ERROR_BAR_RTOL)


def test_error_bars_cover_the_truth_as_often_as_they_should() -> None:
    rng = np.random.default_rng(1)
    estimates = [mean_with_error(autoregressive(1000, 0.8, rng)) for _ in range(400)]
    inside = np.mean([abs(e.value) < e.error for e in estimates])
    assert 0.60 < inside < 0.76  # one standard error: 0.68


def test_short_series_does_not_look_uncorrelated() -> None:
    rng = np.random.default_rng(2)
    correlation, n = math.exp(-0.1), 100  # ten correlation times
    errors = [mean_with_error(autoregressive(n, correlation, rng)).error for _ in range(200)]
    assert np.mean(errors) > 0.7 * true_error(n, correlation)


def test_uncorrelated_series_has_the_textbook_error() -> None:
    samples = np.random.default_rng(3).normal(5.0, 2.0, 10_000)
    estimate = mean_with_error(samples, "eV")
    assert estimate.value == samples.mean()
    assert estimate.unit == "eV"
    assert estimate.error == pytest.approx(2.0 / 100.0, rel=ERROR_BAR_RTOL)


def test_alternating_series_is_no_better_than_independent_samples() -> None:
    assert mean_with_error([1.0, -1.0] * 8).error == pytest.approx(1.0 / math.sqrt(15.0))


def test_few_samples() -> None:
    assert mean_with_error([2.0, 2.0, 2.0]) == Estimate(2.0, 0.0, "")
    assert math.isnan(mean_with_error([2.0]).error)
    assert mean_with_error([1.0, 3.0]).error == pytest.approx(1.0)


@given(
    arrays(np.float64, st.integers(2, 70), elements=st.floats(-1e3, 1e3)),
    st.floats(-50.0, 50.0),
    st.floats(0.5, 4.0),
)
def test_error_scales_and_shifts_with_the_series(
    series: NDArray[np.float64], shift: float, scale: float
) -> None:
    series = np.round(series, 3)  # differences far below the shift would drown in rounding
    plain, moved = mean_with_error(series), mean_with_error(scale * series + shift)
    assert moved.value == pytest.approx(scale * plain.value + shift, rel=1e-9, abs=1e-9)
    assert plain.error >= 0.0


def test_ratio_of_correlated_means() -> None:
    rng = np.random.default_rng(4)
    ratios, errors = [], []
    for _ in range(300):
        below = 2.0 + 0.1 * rng.normal(size=400)
        above = 3.0 * below + 0.2 * rng.normal(size=400)
        estimate = ratio_with_error(above, below)
        ratios.append(estimate.value)
        errors.append(estimate.error)
    assert np.mean(ratios) == pytest.approx(3.0, abs=0.002)
    assert np.mean(errors) == pytest.approx(np.std(ratios), rel=ERROR_BAR_RTOL)


def test_json_has_no_nan() -> None:
    assert mean_with_error([2.0], "K").as_dict() == {"value": 2.0, "error": None, "unit": "K"}
    assert Estimate(1.5, 0.25, "Å").as_dict() == {"value": 1.5, "error": 0.25, "unit": "Å"}
    assert str(Estimate(1.5, 0.25, "Å")) == "1.5 ± 0.25 Å"


def test_json_comes_back() -> None:
    estimate = Estimate(1.5, 0.25, "Å")
    assert Estimate.from_dict(json.loads(json.dumps(estimate.as_dict()))) == estimate
    assert math.isnan(Estimate.from_dict({"value": 2, "error": None, "unit": "K"}).error)


@pytest.mark.parametrize("series", [[], [[1.0, 2.0]], [1.0, float("nan")], 3.0])
def test_bad_series(series: object) -> None:
    with pytest.raises(ValueError, match="give"):
        mean_with_error(series)  # type: ignore[arg-type]


def test_bad_ratio() -> None:
    with pytest.raises(ValueError, match="same length"):
        ratio_with_error([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="undefined"):
        ratio_with_error([1.0, 2.0], [1.0, -1.0])

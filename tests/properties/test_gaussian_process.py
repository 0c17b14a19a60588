"""The Gaussian process: its kernels, its likelihood, and that it sees nothing of a test fold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad

from polymd.datasets import properties
from polymd.properties.evaluation import evaluate_property, fold_errors
from polymd.properties.features import N_KERNELS
from polymd.properties.fingerprints import fingerprint
from polymd.properties.gaussian_process import Kernels, fit, negative_likelihood
from polymd.properties.kernels import CountMatrix, min_max
from polymd.repeats import repeat, shift
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles

CHAINS = list(dict.fromkeys(random_psmiles(60, seed=5)))


def target(psmiles: str) -> float:
    """Something that a sum over bonds can say nearly."""
    return 0.3 * psmiles.count("O") - 0.7 * psmiles.count("c1") + 0.1 * psmiles.count("C") + 2.0


def test_min_max_of_counts() -> None:
    rows = CountMatrix.of([{3: 2, 7: 1}, {3: 1, 9: 1}, {11: 4}])
    full = rows.sparse(np.full(4, True)).toarray()
    np.testing.assert_array_equal(full, [[2, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 4]])
    np.testing.assert_allclose(min_max(rows), [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]])


def test_gradient_of_the_likelihood() -> None:
    fingerprints = [fingerprint(psmiles) for psmiles in CHAINS[:15]]
    every = np.arange(15)
    kernels = Kernels.of(fingerprints)
    parts = np.stack(list(kernels.parts(kernels.scaling(every), every, every)))
    targets = np.random.default_rng(0).normal(size=15)
    point = np.linspace(-2.0, 1.0, N_KERNELS + 1)
    error = check_grad(
        lambda x: negative_likelihood(x, parts, targets)[0],
        lambda x: negative_likelihood(x, parts, targets)[1],
        point,
    )
    assert error < 1e-5 * np.linalg.norm(negative_likelihood(point, parts, targets)[1])


def test_predictions_do_not_depend_on_the_spelling() -> None:
    """Random repeats 1 to 4 and shifts of polymers in the training set and outside."""
    rng = np.random.default_rng(6)
    spelt = [shift(repeat(p, int(rng.integers(1, 5))), int(rng.integers(0, 9))) for p in CHAINS]
    train, test = np.arange(30), np.arange(len(CHAINS))
    values = np.array([target(psmiles) for psmiles in CHAINS])
    found = [
        fit(Kernels.of([fingerprint(p) for p in chains]), train, values[train]).predict(test)
        for chains in (CHAINS, spelt)
    ]
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=SPELLING_RTOL)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=SPELLING_RTOL)


def test_learns_and_knows_how_well() -> None:
    kernels = Kernels.of([fingerprint(psmiles) for psmiles in CHAINS])
    values = np.array([target(psmiles) for psmiles in CHAINS])
    train, test = np.arange(45), np.arange(45, len(CHAINS))
    predicted, spread = fit(kernels, train, values[train]).predict(test)
    errors = predicted - values[test]
    assert np.sqrt(np.mean(errors**2)) < 0.5 * values[test].std()
    assert np.mean(np.abs(errors) < 3.0 * spread) > 0.8


def test_values_of_polymers_left_out() -> None:
    kernels = Kernels.of([fingerprint(psmiles) for psmiles in CHAINS])
    train = np.arange(20)
    fitted = fit(kernels, train, np.array([target(psmiles) for psmiles in CHAINS[:20]]))
    found = fitted.left_out()
    for row in (0, 7):
        rest = np.delete(train, row)
        without = replace(fitted, train=rest, targets=fitted.targets[rest])
        assert found[row] == pytest.approx(without.predict(train[[row]])[0].item(), rel=1e-6)


def test_errors_of_a_fold() -> None:
    true = np.array([1.0, 2.0, 3.0])
    assert fold_errors(true, true + np.array([0.1, -0.1, 0.1]), np.full(3, 0.07)) == {
        "rows": 3,
        "rmse": pytest.approx(0.1),
        "r2": pytest.approx(1 - 0.03 / 2),
        "coverage_90": 1.0,
    }


def test_a_test_fold_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other values in one fold leave its predictions as they are: only its own errors change."""
    values = np.array([target(psmiles) for psmiles in CHAINS])
    split = "".join(str(i % 5) for i in range(len(CHAINS)))
    seen: list[np.ndarray] = []

    def errors(true: np.ndarray, predicted: np.ndarray, spread: np.ndarray) -> dict[str, float]:
        seen.append(predicted)
        return fold_errors(true, predicted, spread)

    monkeypatch.setattr("polymd.properties.evaluation.fold_errors", errors)
    for shifted in (0.0, 5.0):
        rows = pd.DataFrame(
            {"psmiles": CHAINS, "value": values + shifted * (np.arange(len(CHAINS)) % 5 == 2)}
        )
        rows.to_csv(tmp_path / "Nc.csv", index=False)
        table = {"Nc": {"sha256": properties.checksum(rows), "folds": [split] * 3}}
        monkeypatch.setattr(properties, "_stored", lambda table=table: table)
        found = evaluate_property("Nc", tmp_path, split_seed=1)
        assert [fold["rows"] for fold in found["folds"]] == np.bincount([int(d) for d in split]).tolist()
    np.testing.assert_array_equal(seen[2], seen[7])
    assert not np.allclose(seen[1], seen[6])


def test_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no model 'mips'; allowed: gp"):
        evaluate_property("Nc", model="mips")
    with pytest.raises(ValueError, match="no protocol '10fold'; allowed: 5fold"):
        evaluate_property("Nc", protocol="10fold")

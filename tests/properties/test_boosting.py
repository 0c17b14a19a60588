"""Boosted trees: they learn, keep validation rows unseen, survive a file, and belong to the chain."""

import numpy as np
import pytest

from polymd.properties.boosting.model import BoostedModel, Boosting, boost, edges_of, in_bins
from polymd.properties.boosting.training import train_trees
from polymd.properties.boosting.trees import BINS, grow, says
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable
from polymd.repeats import canonical_chain, repeat, shift
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles

QUICK = Boosting(trees=30, rate=0.2, features=0.5)


def made_up(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 6) and what a few of them say."""
    features = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    return features, np.where(features[:, 0] > 0.3, 2.0, 0.0) + features[:, 1]


def test_bins_keep_the_order() -> None:
    features, _ = made_up()
    features[:, 5] = np.arange(len(features)) % 3
    binned = in_bins(features, edges_of(features))
    for column, values in zip(binned.T, features.T, strict=True):
        assert (np.diff(column[np.argsort(values)].astype(int)) >= 0).all()
    assert sorted(set(binned[:, 5].tolist())) == [0, 1, 2]
    assert len(set(binned[:, 0].tolist())) > BINS // 2


def test_first_split_is_the_best_one() -> None:
    features, _ = made_up()
    binned = in_bins(features, edges_of(features))
    step = (binned[:, 2] > 20).astype(np.float64)
    split, bins, left, values = grow(binned, step, np.arange(len(step)), np.arange(6), 2)
    assert (split[0], bins[0], left[0], len(values)) == (2, 20, 1, 3)
    assert values[1] == pytest.approx(0.0)
    assert values[2] == pytest.approx(1.0, abs=0.02)


def test_learns_and_stops_where_validation_is_best() -> None:
    features, targets = made_up()
    binned = in_bins(features, edges_of(features))
    train, validation, test = np.arange(250), np.arange(250, 300), np.arange(300, 400)
    forest = boost(binned, targets, train, validation, Boosting(trees=300, rate=0.1, features=1.0))
    errors = targets[train].mean() + says(forest, binned) - targets
    assert np.sqrt(np.mean(errors[test] ** 2)) < 0.35 * targets.std()
    noise = np.random.default_rng(1).normal(size=len(targets))
    assert len(boost(binned, noise, train, validation, Boosting(trees=60)).starts) < 61


def test_trees_of_polymers() -> None:
    chains = list(dict.fromkeys(canonical_chain(p) for p in random_psmiles(80, seed=12)))
    values = np.array([p.count("O") / len(p) for p in chains])
    table = TrainingTable("colour", "1", "made up", chains, values, np.arange(len(chains)) % 5)
    model, folds = train_trees({"colour": table}, QUICK)
    assert not (folds["colour"].validation & (table.fold == np.arange(5)[:, None])).any()
    other = BoostedModel.of_tensors(model.tensors(), model.header())
    found = model.predict(read_chains(chains))["colour"]
    np.testing.assert_array_equal(other.predict(read_chains(chains))["colour"], found)
    assert np.corrcoef(found, values)[0, 1] > 0.8
    spelt = [shift(repeat(p, 3), 2) for p in chains[:20]]
    np.testing.assert_allclose(model.predict(read_chains(spelt))["colour"], found[:20], rtol=SPELLING_RTOL)

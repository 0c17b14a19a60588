from __future__ import annotations

import numpy as np
import pytest
import torch

from polymd.conformations.polyconf.masked_autoregression import Tokens, masked_shares, reveal_order
from polymd.conformations.polyconf.model import PolyConf


@pytest.mark.parametrize("n_units", [1, 2, 3, 7, 64, 65, 200])
def test_every_unit_is_drawn_once(n_units: int) -> None:
    steps = reveal_order(n_units, np.random.default_rng(0))
    assert len(steps) == min(64, n_units)
    assert all(len(step) for step in steps)
    assert sorted(np.concatenate(steps).tolist()) == list(range(n_units))


def test_few_units_first_and_many_last() -> None:
    sizes = [len(step) for step in reveal_order(500, np.random.default_rng(0))]
    assert sizes[0] < 3 < 10 < sizes[-1]


def test_orders() -> None:
    rng = np.random.default_rng(1)
    assert np.concatenate(reveal_order(20, rng, order="sequential")).tolist() == list(range(20))
    assert np.concatenate(reveal_order(20, rng)).tolist() != list(range(20))
    with pytest.raises(ValueError, match="sequential"):
        reveal_order(20, rng, order="backwards")


def test_shares_stay_in_their_bounds() -> None:
    shares = masked_shares(1000, np.random.default_rng(2))
    assert shares.min() >= 0.1
    assert shares.max() <= 1.0
    assert shares.mean() > 0.6


def tokens(model: PolyConf, n_units: int, known: list[int], *, extra: int = 0) -> Tokens:
    generator = torch.Generator().manual_seed(4)
    width = model.sizes.width
    shapes, conditions = torch.randn(2, 1, n_units, width, generator=generator)
    pad = (0, 0, 0, extra)
    shown = torch.zeros(1, n_units + extra, dtype=torch.bool)
    shown[0, known] = True
    present = torch.arange(n_units + extra)[None] < n_units
    return Tokens(
        torch.nn.functional.pad(shapes, pad, value=7.0),
        torch.nn.functional.pad(conditions, pad),
        present,
        shown,
    )


def test_unknown_units_are_not_seen(model: PolyConf) -> None:
    one = tokens(model, 9, [1, 4])
    shapes = torch.where(one.known[..., None], one.shapes, torch.randn_like(one.shapes))
    other = Tokens(shapes, one.conditions, one.present, one.known)
    assert torch.equal(model.units(one), model.units(other))
    shown = Tokens(-one.shapes, one.conditions, one.present, one.known)
    assert not torch.allclose(model.units(one), model.units(shown))

"""Hückel bands against known spectra, and their independence of the spelling of a chain."""

import numpy as np
import pytest

from polymd.properties.bands import BANDS, band_features
from polymd.properties.chain_graph import chain_graph
from polymd.repeats import repeat, shift
from polymd.testing import SPELLING_RTOL


def bands(psmiles: str) -> dict[str, float]:
    return dict(zip(BANDS, band_features(chain_graph(psmiles)).tolist(), strict=True))


def test_polyacetylene_has_the_gap_of_its_alternating_bonds() -> None:
    # x = ±|1.1 + 0.9 exp(ik)|: edges ±0.2 at k = π, ±2 at k = 0
    found = bands("*C=C*")
    assert found["highest_occupied"] == pytest.approx(0.2)
    assert found["gap"] == pytest.approx(0.4)
    assert found["orbitals"] == found["electrons"] == 1.0


def test_benzene_of_polystyrene() -> None:
    # one ring with an alkyl neighbour: near the levels ±1 of benzene
    found = bands("*CC(*)c1ccccc1")
    assert found["highest_occupied"] == pytest.approx(1.0, abs=0.1)
    assert found["lowest_empty"] == pytest.approx(-1.0, abs=0.1)
    assert found["occupied_on_backbone"] == 0.0


def test_a_saturated_chain_has_no_orbitals() -> None:
    found = bands("*CC*")
    assert found["orbitals"] == found["electrons"] == found["delocalisation"] == 0.0
    assert found["gap"] > 5.0


def test_a_sulfone_conjugates_nothing() -> None:
    # lone pairs alone have no empty level; two levels of one gap would meet otherwise
    assert bands("*CCS(*)(=O)=O")["gap"] > 4.0


def test_longer_conjugation_closes_the_gap() -> None:
    gaps = [bands(p)["gap"] for p in ("*CCc1ccc(*)cc1", "*C=Cc1ccc(*)cc1", "*C=C*")]
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize("psmiles", ["*C=Cc1ccc(*)cc1", "*c1ccc(*)s1", "*CC(*)c1ccccc1", "*Nc1ccc(*)cc1"])
def test_neither_shift_nor_direction_matters(psmiles: str) -> None:
    from polymd.properties.fingerprints import fingerprint

    one = fingerprint(psmiles).bands
    for other in (shift(psmiles, 1), repeat(psmiles, 2), repeat(psmiles, 3)):
        np.testing.assert_allclose(fingerprint(other).bands, one, rtol=SPELLING_RTOL, atol=1e-9)

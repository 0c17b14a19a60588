from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations import ConformationError, clash_count
from polymd.conformations.etkdg import embed
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.metrics.baselines import embedded_in_time, generate
from polymd.conformations.metrics.oracle import OracleGrower, oracle_growth
from polymd.datasets.polybench.storage import ReferenceChain
from polymd.polymer import Polymer
from polymd.stereo import Tacticity


def library(
    psmiles: str, n_units: int, seeds: range, tacticity: Tacticity = "atactic"
) -> list[ReferenceChain]:
    """Embedded chains in place of dynamics."""
    chains = []
    for seed in seeds:
        polymer = Polymer(psmiles, n_units, tacticity=tacticity, seed=seed)
        x = embed(polymer.to_rdkit(), 6, seed).astype(np.float32)
        start = np.arange(6, dtype=np.int16)
        chains.append(
            ReferenceChain(psmiles, n_units, tacticity, seed, "test", "library", "bcc", x, np.zeros(6), start)
        )
    return chains


@pytest.mark.parametrize("psmiles", ["*CC(*)C", "*OCCOC(=O)c1ccc(cc1)C(=O)*", "*C*"])
def test_chains_of_library_units_are_whole(psmiles: str) -> None:
    units = 8
    polymer = Polymer(psmiles, units, seed=7)
    parts = library(psmiles, 4, range(3))
    chains = oracle_growth(polymer, parts, 3, seed=0)
    assert chains.shape == (3, polymer.n_atoms, 3)
    i, j = polymer.bonds.T
    lengths = np.linalg.norm(chains[:, i] - chains[:, j], axis=2)
    short = parts[0].polymer()
    seen = np.concatenate(
        [
            np.linalg.norm(
                part.positions[:, short.bonds[:, 0]] - part.positions[:, short.bonds[:, 1]], axis=2
            )
            for part in parts
        ]
    )
    assert lengths.min() > seen.min() - 1e-3
    assert lengths.max() < seen.max() + 1e-3
    for chain in chains:
        assert clash_count(polymer, chain) == 0
        assert keeps_stereo(polymer.to_rdkit(), chain)
    assert not np.allclose(chains[0], chains[1])
    again = generate(polymer, "oracle", 3, seed=0, library=parts)
    np.testing.assert_array_equal(again, chains)


def test_a_stereoisomer_that_no_library_chain_has_is_an_error() -> None:
    parts = library("*C(C)C(*)OC", 3, range(1), "isotactic")
    OracleGrower(parts[0].polymer(), parts)
    with pytest.raises(ConformationError, match="no unit like"):
        OracleGrower(Polymer("*C(C)C(*)OC", 8, seed=1), parts)
    with pytest.raises(ConformationError, match="no unit like"):
        generate(parts[0].polymer(), "oracle", 1)


def test_embedding_is_given_up_in_time() -> None:
    polymer = Polymer("*CC*", 3)
    assert embedded_in_time(polymer, 2, 0, limit=20.0).shape == (2, polymer.n_atoms, 3)
    with pytest.raises(ConformationError, match="within 0 s"):
        embedded_in_time(polymer, 2, 0, limit=0.0)

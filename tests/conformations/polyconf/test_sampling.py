from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polymd import Polymer, generate_conformations
from polymd.conformations.clashes import clash_count
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.polyconf.model import PolyConf, load_polyconf
from polymd.conformations.polyconf.sampling import Sampling, sample_chains

FAST = Sampling(torsion_steps=3, rotation_steps=4)
LONGEST = 1.9  # Å, of a bond between carbons, oxygens and hydrogens


@pytest.mark.parametrize("n_units", [1, 2, 9])
def test_any_number_of_units(model: PolyConf, n_units: int) -> None:
    polymer = Polymer("*CC(C)O*", n_units, seed=3)
    chains = sample_chains(polymer, 2, 0, FAST, model)
    assert chains.shape == (2, polymer.n_atoms, 3)
    i, j = polymer.bonds.T
    lengths = np.linalg.norm(chains[:, i] - chains[:, j], axis=-1)
    assert 0.9 < lengths.min() < lengths.max() < LONGEST
    assert np.allclose(chains.mean(axis=1), 0.0, atol=1e-9)
    assert all(keeps_stereo(polymer.to_rdkit(), chain) for chain in chains)


def test_units_without_turns(model: PolyConf) -> None:
    polymer = Polymer("*C(*)F", 4)
    assert np.isfinite(sample_chains(polymer, 1, 0, FAST, model)).all()


def test_the_seed_decides(model: PolyConf) -> None:
    polymer = Polymer("*CCO*", 5)
    one, same, other = (sample_chains(polymer, 2, seed, FAST, model) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])


@pytest.mark.parametrize(
    "options",
    [
        Sampling(order="sequential", torsion_steps=2, rotation_steps=2),
        Sampling(rotations="uniform", torsion_steps=2),
        Sampling(assembly="bond", torsion_steps=2, rotation_steps=2),
        Sampling(assembly="atom", torsion_steps=2, rotation_steps=2, noise=0.1),
    ],
    ids=["sequential", "uniform", "bond", "atom"],
)
def test_ablations(model: PolyConf, options: Sampling) -> None:
    polymer = Polymer("*CCO*", 4)
    chains = sample_chains(polymer, 1, 0, options, model)
    i, j = polymer.bonds.T
    assert np.linalg.norm(chains[0, i] - chains[0, j], axis=1).max() < LONGEST


def test_angles_between_units_are_those_of_units(model: PolyConf) -> None:
    polymer = Polymer("*CC*", 12)
    for chain in sample_chains(polymer, 3, 0, FAST, model):
        steps = np.diff(chain[polymer.backbone], axis=0)
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        angles = 180.0 - np.degrees(np.arccos((steps[1:] * steps[:-1]).sum(axis=1)))
        assert 100.0 < angles.min() < angles.max() < 126.0  # they vibrate


def test_excluded_volume_keeps_atoms_apart(model: PolyConf) -> None:
    polymer = Polymer("*CC(C)O*", 20, seed=1)
    alone, apart = (
        [clash_count(polymer, x) for x in sample_chains(polymer, 3, 0, options, model)]
        for options in (Sampling(assembly="bond", torsion_steps=3, rotation_steps=2), FAST)
    )
    assert sum(alone) > 0
    assert max(apart) == 0


def test_weights_come_back(model: PolyConf, tmp_path: Path) -> None:
    model.card = {"name": "test"}
    model.save(tmp_path / "model.safetensors")
    again = PolyConf.read(tmp_path / "model.safetensors")
    assert again.card == model.card
    assert again.sizes == model.sizes
    with pytest.raises(ValueError, match="cannot read"):
        PolyConf.read(tmp_path / "nothing.safetensors")


def test_the_shipped_weights_are_found_by_name() -> None:
    polymer = Polymer("*CCO*", 3)
    chains = generate_conformations(polymer, 1, method="polyconf", seed=4)
    assert keeps_stereo(polymer.to_rdkit(), chains[0])
    assert load_polyconf().card["name"] == "polyconf"
    with pytest.raises(ValueError, match="linear homopolymers"):
        generate_conformations(Polymer("*CCO*", 12, ring=True), 1, method="polyconf")

from __future__ import annotations

import numpy as np
import pytest
import torch

from polymd import Polymer
from polymd.conformations.etkdg import embed
from polymd.conformations.polyconf.assembly import (
    HEAD,
    STAR_AFTER,
    STAR_BEFORE,
    TAIL,
    frame_units,
    overlap_bonds,
    translations,
)
from polymd.conformations.polyconf.frames import quaternion_matrix, random_quaternions
from polymd.conformations.polyconf.units import ChainUnits, chain_units

EXACT = 1e-6  # Å


def split(positions: np.ndarray, units: ChainUnits) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    points = torch.from_numpy(positions[units.atoms])
    return frame_units(points, torch.from_numpy(units.line), torch.from_numpy(units.plane))


def joined(local: torch.Tensor, rotation: torch.Tensor, units: ChainUnits, n_atoms: int) -> np.ndarray:
    line = local[torch.arange(len(local))[:, None], torch.from_numpy(units.line)]
    origin = translations(line[:, STAR_AFTER], rotation)
    points = (local @ rotation.transpose(-1, -2) + origin[:, None]).numpy()
    positions = np.full((n_atoms, 3), np.nan)
    positions[units.atoms[units.own]] = points[units.own]
    return positions


@pytest.mark.parametrize("psmiles", ["*CC(*)c1ccccc1", "*c1ccc(*)cc1", "*CO*", "*C#CC(*)=O", "*C(*)F"])
def test_a_chain_is_its_units_and_rotations(psmiles: str) -> None:
    polymer = Polymer(psmiles, 4, seed=1)
    x = embed(polymer.to_rdkit(), 1, seed=0)[0]
    units = chain_units(polymer)
    local, rotation, origin = split(x, units)
    again = joined(local, rotation, units, polymer.n_atoms)
    assert np.abs(again + origin[0].numpy() - x).max() < EXACT


def test_bonds_of_a_real_chain_overlap_already(polymer: Polymer, positions: np.ndarray) -> None:
    units = chain_units(polymer)
    local, rotation, _ = split(positions[0], units)
    line = local[torch.arange(len(local))[:, None], torch.from_numpy(units.line)]
    assert torch.allclose(overlap_bonds(rotation, line), rotation, atol=EXACT)


def test_overlapping_bonds_share_both_atoms(polymer: Polymer, positions: np.ndarray) -> None:
    units = chain_units(polymer)
    local, _, _ = split(positions[0], units)
    line = local[torch.arange(len(local))[:, None], torch.from_numpy(units.line)]
    turned = quaternion_matrix(random_quaternions((len(local),), torch.Generator().manual_seed(5))).double()
    rotation = overlap_bonds(turned, line)
    origin = translations(line[:, STAR_AFTER], rotation)
    placed = line @ rotation.transpose(-1, -2) + origin[:, None]
    assert torch.allclose(placed[:-1, STAR_AFTER], placed[1:, HEAD], atol=EXACT)
    assert torch.allclose(placed[:-1, TAIL], placed[1:, STAR_BEFORE], atol=EXACT)


def test_units_do_not_know_how_the_chain_lies(polymer: Polymer, positions: np.ndarray) -> None:
    units = chain_units(polymer)
    turn = quaternion_matrix(random_quaternions((1,), torch.Generator().manual_seed(7)))[0].double().numpy()
    local, rotation, _ = split(positions[0], units)
    moved, turned, _ = split(positions[0] @ turn.T + [1.0, -2.0, 3.0], units)
    assert torch.allclose(moved, local, atol=EXACT)
    assert torch.allclose(turned, torch.from_numpy(turn) @ rotation, atol=EXACT)

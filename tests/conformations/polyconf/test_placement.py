from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from polymd import Polymer
from polymd.conformations.clashes import clash_count
from polymd.conformations.internal import dihedrals
from polymd.conformations.polyconf.assembly import frame_units, junction_torsions, overlap_bonds
from polymd.conformations.polyconf.batch import batch_units
from polymd.conformations.polyconf.frames import quaternion_matrix, random_quaternions
from polymd.conformations.polyconf.placement import Placement
from polymd.conformations.polyconf.sampling import Sampling, _join, unit_templates
from polymd.conformations.polyconf.units import chain_units

PSMILES = "*CC(C)O*"
N_UNITS = 6


def _parts(seed: int) -> tuple[Polymer, Placement, NDArray[np.float64], torch.Tensor, NDArray[np.float64]]:
    """A chain, its placement, its embedded units (U, A, 3), junction torsions (U - 1,), the joined chain."""
    polymer = Polymer(PSMILES, N_UNITS, seed=1)
    units = chain_units(polymer)
    templates, kinds = unit_templates(polymer, units)
    batch = batch_units([units])
    local = frame_units(torch.from_numpy(np.stack([t[0] for t in templates])), batch.line, batch.plane)[0]
    line = batch.chains(local[torch.arange(len(batch))[:, None], batch.line], batch.shape)
    rotation = quaternion_matrix(random_quaternions((1, N_UNITS), torch.Generator().manual_seed(seed)))
    joined = _join(batch, units, local, line, rotation, Sampling(assembly="bond"))[0]
    placement = Placement.of(polymer, units, templates, kinds)
    torsions = junction_torsions(overlap_bonds(rotation, line), line)[0]
    return polymer, placement, local.double().numpy(), torsions, joined


def test_torsions_of_junctions_are_those_of_the_chain() -> None:
    _, placement, _, torsions, joined = _parts(0)
    line, atoms = placement.chain.line, placement.chain.atoms
    quads = [
        [
            atoms[i, line[i, 3]],
            atoms[i, line[i, 4]],
            atoms[i + 1, line[i + 1, 1]],
            atoms[i + 1, line[i + 1, 2]],
        ]
        for i in range(N_UNITS - 1)
    ]
    found = dihedrals(joined[None], np.array(quads))[0]
    assert np.allclose(np.exp(1j * found), np.exp(1j * torsions.numpy()), atol=1e-4)


def test_without_repulsion_draws_stay_as_they_are() -> None:
    _, placement, points, torsions, joined = _parts(0)
    sizes = placement.volumes
    ghosts = sizes._replace(hard=0.0 * sizes.hard, depth=0.0 * sizes.depth)
    placement = Placement(ghosts, 0.0 * placement.usual, placement.atoms, placement.chain, placement.kinds)
    placed = placement.place(np.random.default_rng(0), points[:, None], torsions.double().numpy()[:, None])
    assert np.allclose(pdist(placed), pdist(joined), atol=1e-3)


def test_units_that_clash_are_found() -> None:
    _, placement, points, _, _ = _parts(0)
    folded = points.copy()
    folded[2] *= 0.3
    draws = torch.from_numpy(np.stack([folded, folded]))
    _, clashing = placement.ordered(np.random.default_rng(0), draws, torch.arange(N_UNITS))
    assert clashing.tolist() == [i == 2 for i in range(N_UNITS)]


def test_chains_are_kept_from_themselves() -> None:
    for seed in range(20):
        polymer, placement, points, torsions, joined = _parts(seed)
        if clash_count(polymer, joined):
            break
    placed = placement.place(np.random.default_rng(0), points[:, None], torsions.double().numpy()[:, None])
    assert clash_count(polymer, joined) > 0
    assert clash_count(polymer, placed) == 0

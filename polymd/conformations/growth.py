"""Chain growth: units are added one after the other, their torsions drawn from a network's densities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError, minimise
from polymd.conformations.excluded_volume import Table, Volumes, make_table, volumes
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.library import UnitKind, pack, unit_kinds
from polymd.conformations.network import Network, load_network
from polymd.conformations.relax import Shape, push_off
from polymd.conformations.thermal import thermal_pool
from polymd.conformations.torsions import Encoded, link_densities

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["ChainGrower", "chain_problem", "grow_chains"]

_MARGIN = 0.88
_ATTEMPTS = 5
_STRETCH = 0.15
_SEED = 2


class ChainGrower:
    """Everything that growing chains of one polymer takes, made once: pools of units and densities.

    Parameters
    ----------
    polymer
        A linear chain.
    network
        The shipped one unless given.
    solvent
        Quality of the solvent, 0 to 1; see `polymd.generate_conformations`.

    Raises
    ------
    ConformationError
        A unit cannot be embedded.
    """

    def __init__(self, polymer: Polymer, network: Network | None = None, solvent: float = 1.0) -> None:
        self.polymer = polymer
        network = network or load_network()
        chain = Chain.of(polymer)
        kinds, self.kind_of, example_of = unit_kinds(chain, polymer.unit_types)
        self.link_of, linked = _links(self.kind_of)
        shown = sorted({u for i in [*linked, *example_of] for u in range(max(0, i - 2), i + 1)})
        encoded = Encoded(chain, network, [a for u in shown for a in chain.local(u)])
        pools: list[UnitKind] = []
        for unit, kind in zip(example_of, kinds, strict=True):
            pools.append(thermal_pool(chain, unit, kind, encoded, _SEED))
        self.links = link_densities(chain, linked, kinds, self.kind_of, encoded)
        self.units = pack(pools)
        self.starts = np.searchsorted(polymer.unit_index, np.arange(polymer.n_units + 1)).astype(np.int64)
        self.volumes = volumes(polymer.atomic_numbers, polymer.bonds, 1.0 - solvent)

    def grow(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
        """Positions (N, 3) in Å of one chain, and how many clashes are left in it, nearly always none."""
        table = make_table(self.polymer.n_atoms, self.volumes.reach)
        return table.positions, self.grow_into(table, self.volumes, 0, rng)

    def grow_into(self, table: Table, sizes: Volumes, first: int, rng: np.random.Generator) -> int:
        """Grow a chain among the atoms of a table, its own from number `first` on; the clashes left."""
        from polymd.conformations.growing import grow

        starts = self.starts + first
        return int(grow(rng, self.kind_of, self.link_of, starts, self.units, self.links, sizes, table))


def _links(kind_of: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """The link (U,) of each unit, and a unit for each link.

    A link is what the torsions of a unit are drawn from: its kind and those of the two units before it.
    """
    kinds = kind_of.tolist()
    keys = [tuple(kinds[max(0, i - 2) : i + 1]) for i in range(len(kinds))]
    order = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    return np.array([order[key] for key in keys], dtype=np.int64), [keys.index(key) for key in order]


def grow_chains(polymer: Polymer, n: int, seed: int, solvent: float = 1.0) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a linear chain, from `ChainGrower`.

    A chain that growth leaves with clashes, which is rare, is relaxed by `push_off` or grown again.

    Raises
    ------
    ConformationError
        A unit cannot be embedded, or no attempt gave a chain without clashes and with its stereo.
    """
    grower = ChainGrower(polymer, solvent=solvent)
    chains = [_sound_chain(grower, np.random.default_rng(s)) for s in np.random.SeedSequence(seed).spawn(n)]
    return np.stack(chains) if chains else np.empty((0, polymer.n_atoms, 3))


def _sound_chain(grower: ChainGrower, rng: np.random.Generator) -> NDArray[np.float64]:
    polymer = grower.polymer
    for attempt in range(_ATTEMPTS):
        raw, left = grower.grow(rng)
        if left and attempt + 1 < _ATTEMPTS:
            continue
        chain, problem = raw, chain_problem(polymer, raw, raw)
        if problem:
            chain = push_off(Shape.of(polymer), raw, _MARGIN)
            problem = chain_problem(polymer, chain, raw)
        if problem:
            chain = push_off(Shape.of(polymer), minimise(polymer.to_rdkit(), chain, 50), _MARGIN)
            problem = chain_problem(polymer, chain, raw)
        if not problem:
            return np.asarray(chain - chain.mean(axis=0))
    raise ConformationError(
        f"no sound chain of {polymer.name} after {_ATTEMPTS} attempts ({problem}); allowed: chains"
        " without clashes and with the given stereo; fix: another seed, or method='etkdg'"
    )


def chain_problem(polymer: Polymer, chain: NDArray[np.float64], raw: NDArray[np.float64]) -> str | None:
    """What is wrong with a grown chain, None if nothing is."""
    if not np.all(np.isfinite(chain)):
        return "positions are not finite"
    if count := clash_count(polymer, chain):
        return f"{count} clash{'es' * (count > 1)}"
    i, j = polymer.bonds.T
    stretch = np.abs(np.linalg.norm(chain[i] - chain[j], axis=1) - np.linalg.norm(raw[i] - raw[j], axis=1))
    if stretch.max() > _STRETCH:
        return f"a bond is off by {stretch.max():.2f} Å"
    return None if keeps_stereo(polymer.to_rdkit(), chain) else "its stereo is not the given one"

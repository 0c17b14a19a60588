"""From the network's terms to the log densities of torsions that the growth kernels draw from.

The torsion x of a rotor, given those y_1, y_2, ... that were drawn before and share an atom with it, has

    log p(x | y) = sum_st sum_k c_st,k cos k(x + d_st)
                 + sum_parents sum_st sum_km [C_st,km cos k x_t cos m y_s + S_st,km sin k x_t sin m y_s]
                 - log Z

| symbol | here |
|---|---|
| s, t | substituents on the two sides of the bond; of a pair: the outer ends of the five atoms s-a-b-d-t |
| c | `Network.single`, k = 1..HARMONICS |
| C, S | `Network.coupled`, k, m = 1..COUPLED |
| d_st, x_t, y_s | turned to the substituents: x_t = x + (offsets of the atoms it is measured between) |

Every term is unchanged when all torsions change sign, and coefficients come from the graph alone: mirror
images get mirrored densities, and the handedness of a centre enters through its substituents' offsets.
Multiplied out, a rotor has 2 HARMONICS coefficients and each pair one matrix; Z is a sum over bins, so
the likelihood of a chain's torsions is known exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.graph_features import chain_graph
from polymd.conformations.kernels import FREE, LEARNED, STIFF, Links
from polymd.conformations.library import UnitKind
from polymd.conformations.network import COUPLED, HARMONICS, Network
from polymd.conformations.rotors import Rotor, TorsionTerms, torsion_terms, unit_rotors

__all__ = ["Encoded", "link_densities"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Encoded:
    """The network's view of part of a chain: features of `atoms` and of all that reaches them."""

    def __init__(self, chain: Chain, network: Network, atoms: Sequence[int]) -> None:
        window = chain.within(atoms, network.sizes.layers + 1)
        self.network = network
        self.features = network.encode(chain_graph(chain, window))
        self.index = np.full(len(chain.neighbors), -1, dtype=np.int64)
        self.index[window] = np.arange(len(window))


def link_densities(
    chain: Chain, units: Sequence[int], kinds: Sequence[UnitKind], kind_of: Ints, encoded: Encoded
) -> Links:
    """Densities of the torsions of some units of a chain, given those of the units before them.

    `kind_of` (U,) is the kind of each unit, `encoded` covers the units and the two before each.
    """
    turns: list[int] = []
    first_stage, first_coupling = [0], [0]
    series: list[Floats] = []
    back: list[int] = []
    parent: list[int] = []
    matrices: list[Floats] = []
    for i in units:
        previous = unit_rotors(chain, i - 1) if i > 0 else []
        rotors = previous + unit_rotors(chain, i)
        terms = torsion_terms(chain, rotors, len(previous))
        own = _stages(chain, i, rotors[len(previous) :])
        before = _stages(chain, i - 1, previous)
        stage_of = {k: (1, stage) for stage, k in before.items()}
        stage_of |= {k + len(previous): (0, stage) for stage, k in own.items()}
        offsets = _offsets(chain, rotors, terms, kinds, kind_of)
        single, coupled = _multiplied_out(terms, offsets, len(rotors), encoded)
        for stage in range(max(own, default=0) + 1):
            k = own.get(stage, -1) + len(previous)
            known = stage in own
            turns.append(STIFF if not known else FREE if rotors[k].free else LEARNED)
            series.append(single[k] if known else np.zeros(2 * HARMONICS))
            for p in np.flatnonzero(terms.pair_child == k) if known else ():
                units_back, its_stage = stage_of[int(terms.pair_parent[p])]
                back.append(units_back)
                parent.append(its_stage)
                matrices.append(coupled[p])
            first_coupling.append(len(back))
        first_stage.append(len(turns))
    return Links(
        np.array(first_stage, dtype=np.int64),
        np.array(turns, dtype=np.int64),
        np.array(series, dtype=np.float64).reshape(-1, 2 * HARMONICS),
        np.array(first_coupling, dtype=np.int64),
        np.array(back, dtype=np.int64),
        np.array(parent, dtype=np.int64),
        np.array(matrices, dtype=np.float64).reshape(-1, 2 * COUPLED, 2 * COUPLED),
    )


def _stages(chain: Chain, i: int, rotors: Sequence[Rotor]) -> dict[int, int]:
    """Stage -> number of the rotor among the unit's: 0 is the junction, the others follow in order."""
    own = [k for k, rotor in enumerate(rotors) if chain.unit_of[rotor.near] == i]
    junction = [(0, k) for k in range(len(rotors)) if k not in own]
    return dict([*junction, *enumerate(own, start=1)])


def _offsets(
    chain: Chain, rotors: Sequence[Rotor], terms: TorsionTerms, kinds: Sequence[UnitKind], kind_of: Ints
) -> Floats:
    """Offsets (O,) in rad of the substituents: their mean size in the conformers of their units.

    The sign is that of the first conformer: in others equal hydrogens may have changed places.
    """
    offsets = np.zeros(len(terms.offset_rotor))
    for o, (r, atom, far) in enumerate(
        zip(terms.offset_rotor.tolist(), terms.offset_atom.tolist(), terms.offset_far.tolist(), strict=True)
    ):
        rotor = rotors[r]
        reference = rotor.after if far else rotor.before
        if atom == reference:
            continue
        unit = chain.unit_of[rotor.far if far else rotor.near]
        local, x = chain.local(unit), kinds[int(kind_of[unit])].coordinates
        turned = _turned(*(x[:, local.index(a)] for a in (rotor.near, rotor.far, reference, atom)))
        offsets[o] = np.abs(turned).mean() * np.sign(turned[0]) * (1.0 if far else -1.0)
    return offsets


def _turned(near: Floats, far: Floats, reference: Floats, atom: Floats) -> Floats:
    """Angles (C,) in rad from `reference` to `atom` about the axis near-far, right-handed; all (C, 3)."""
    axis = (far - near) / np.linalg.norm(far - near, axis=1, keepdims=True)
    a, b = np.cross(axis, reference - near), np.cross(axis, atom - near)
    return np.asarray(np.arctan2((np.cross(a, b) * axis).sum(axis=1), (a * b).sum(axis=1)))


def _multiplied_out(
    terms: TorsionTerms, offsets: Floats, n_rotors: int, encoded: Encoded
) -> tuple[Floats, Floats]:
    """Coefficients (R, 2 HARMONICS) of the rotors and matrices (P, 2 COUPLED, 2 COUPLED) of the pairs."""
    network, h, index = encoded.network, encoded.features, encoded.index
    series = np.zeros((n_rotors, 2 * HARMONICS))
    if len(terms.single_rotor):
        order = np.arange(1, HARMONICS + 1)
        strength = network.single(h, index[terms.single_atoms])
        turn = offsets[terms.single_offsets].sum(axis=1)[:, None] * order
        both = np.concatenate([strength * np.cos(turn), -strength * np.sin(turn)], axis=1)
        np.add.at(series, terms.single_rotor, both)
    matrices = np.zeros((len(terms.pair_child), 2 * COUPLED, 2 * COUPLED))
    if len(terms.term_pair):
        order = np.arange(1, COUPLED + 1)
        strength = network.coupled(h, index[terms.term_atoms])
        even, odd = strength[:, 0], strength[:, 1]
        turns = offsets[terms.term_offsets].reshape(-1, 2, 2).sum(axis=2)
        parent, child = turns[:, :1] * order, turns[:, 1:] * order
        cc, sc = np.cos(child)[:, :, None], np.sin(child)[:, :, None]
        cp, sp = np.cos(parent)[:, None], np.sin(parent)[:, None]
        top = np.concatenate([even * cc * cp + odd * sc * sp, -even * cc * sp + odd * sc * cp], axis=2)
        low = np.concatenate([-even * sc * cp + odd * cc * sp, even * sc * sp + odd * cc * cp], axis=2)
        np.add.at(matrices, terms.term_pair, np.concatenate([top, low], axis=1))
    return series, matrices

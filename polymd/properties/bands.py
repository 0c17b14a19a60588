"""Hückel bands of the π electrons and lone pairs of an infinite chain.

One orbital an atom, energies α + xβ. With Bloch's theorem the chain's matrix at the phase k between units is

    H(k) = H₀ + H₁ exp(ik) + H₁ᵀ exp(-ik),    diagonal of H₀: h; H₀: k of bonds in a unit; H₁: to the next

=====  ====================================================================================================
h, k   parameters of Van-Catledge, J. Org. Chem. 1980, 45, 4801 (table III; k with carbon); bromine and
       iodine of Streitwieser's kind. Two atoms neither of which is carbon: the product of their k.
ρ      electrons at a band edge, Σ P exp(-|x - edge| / τ), normalised: degenerate states count together
=====  ====================================================================================================

What the bands tell of a chain and counts of fragments do not: how far its electrons are conjugated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.chain_graph import ATOM_FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polymd.properties.chain_graph import ChainGraph

    Floats = NDArray[np.float64]
    Complexes = NDArray[np.complex128]

__all__ = ["BANDS", "band_features"]

#: names of `band_features`; energies are x, so that a deep level is high
BANDS = (
    "highest_occupied",
    "highest_occupied_mean",
    "lowest_empty",
    "lowest_empty_mean",
    "gap",
    "occupied_localisation",
    "occupied_on_backbone",
    "empty_localisation",
    "empty_on_backbone",
    "orbitals",
    "electrons",
    "delocalisation",
)

PHASES = 7  #: of k, from 0 to π
_SMEARING = 0.05  # τ
_NO_EMPTY, _NO_OCCUPIED = -3.0, 3.5  # levels of chains that have none: those of σ electrons, roughly
_METHYL = 0.15  # a saturated neighbour pushes electrons
_POSITIVE, _NEGATIVE = 0.8, -0.5
_ORDERS = {2: 0.9, 3: 1.0, 4: 1.1, 6: 1.1}  # by twice the bond order

#: element: (h, k with carbon) of an atom that gives one electron, and of one that gives two
_ONE = {
    5: (-0.45, 0.73),
    6: (0.0, 1.0),
    7: (0.51, 1.02),
    8: (0.97, 1.06),
    14: (0.0, 0.75),
    15: (0.19, 0.77),
    16: (0.46, 0.81),
}
_TWO = {
    7: (1.37, 0.89),
    8: (2.09, 0.66),
    9: (2.71, 0.52),
    15: (0.75, 0.76),
    16: (1.11, 0.69),
    17: (1.48, 0.62),
    34: (1.0, 0.6),
    35: (1.5, 0.3),
    53: (1.3, 0.25),
}
_BORON = 5
_OXO = (8, 16)
_HYPERVALENT = (15, 16, 34)


def band_features(graph: ChainGraph) -> Floats:
    """Shape (12,), `BANDS`, of the smallest repeat of a chain.

    Energies do not depend on which atom a repeat begins with, nor on the chain's direction, but for rounding.
    """
    levels, couplings, electrons = _orbitals(graph)
    here = np.flatnonzero(electrons >= 0)
    if len(here) == 0:
        gap = _NO_OCCUPIED - _NO_EMPTY
        return np.array([_NO_OCCUPIED, _NO_OCCUPIED, _NO_EMPTY, _NO_EMPTY, gap, 0.0, 0.0, 1.0, *[0.0] * 4])
    within, onward = _matrices(graph, levels, couplings, here)
    energies, density = _spectrum(within, onward)
    shares = np.full(PHASES, 1.0 / (PHASES - 1))
    shares[[0, -1]] *= 0.5
    total = int(electrons[here].sum())
    filled = min(max(total // 2, 1), len(here))
    occupied, empty = energies[:, :filled], energies[:, filled:]
    backbone = graph.backbone[here]
    top = occupied[:, -1]
    highest = _edge(top.min() - occupied, density[:, :, :filled], shares, backbone)
    bottom, lowest = np.full(PHASES, _NO_EMPTY), (1.0, 0.0)
    if empty.shape[1]:
        bottom = empty[:, 0]
        lowest = _edge(empty - bottom.max(), density[:, :, filled:], shares, backbone)
    bonding = 2.0 * float(shares @ occupied.sum(axis=1)) - float(levels[here] @ electrons[here])
    a = len(graph.atoms)
    edges = [top.min(), shares @ top, bottom.max(), shares @ bottom, top.min() - bottom.max()]
    return np.array([*edges, *highest, *lowest, len(here) / a, total / a, bonding / a])


def _spectrum(within: Floats, onward: Floats) -> tuple[Floats, Floats]:
    """Energies (K, n), descending, of the `PHASES` and the density of each state, (K, atom, n)."""
    if onward.any():
        phases = np.exp(1j * np.linspace(0.0, np.pi, PHASES))[:, None, None]
        energies, states = np.linalg.eigh(-(within + onward * phases + onward.T / phases))
        return -energies, np.abs(states) ** 2
    energy, state = np.linalg.eigh(-within)  # no band is broad
    return np.tile(-energy, (PHASES, 1)), np.tile(state**2, (PHASES, 1, 1))


def _edge(below: Floats, density: Floats, shares: Floats, backbone: NDArray[np.bool_]) -> tuple[float, float]:
    """Σ ρ² and ρ on the backbone at a band edge; `below` (K, n) is minus the distance from it."""
    weights = np.exp(below / _SMEARING) * shares[:, None]
    rho = np.einsum("kn,kan->a", weights / weights.sum(), density)
    return float(rho @ rho), float(rho[backbone].sum())


def _orbitals(graph: ChainGraph) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """h, k with carbon and electrons of every atom, (A,) each; -1 electrons where there is no orbital."""
    columns = dict(zip(ATOM_FIELDS, graph.atoms.T.tolist(), strict=True))
    number, unsaturation = columns["number"], columns["unsaturation"]
    bonded = [a + b for a, b in zip(columns["neighbours"], columns["hydrogens"], strict=True)]
    hypervalent = [
        n in _HYPERVALENT and b > 2 and u > 0 for n, b, u in zip(number, bonded, unsaturation, strict=True)
    ]
    levels, couplings = np.zeros(len(number)), np.zeros(len(number))
    electrons = np.full(len(number), -1, dtype=np.int64)
    for i, z in enumerate(number):
        charge, pyridine = columns["charge"][i], z == 7 and bonded[i] == 2
        lone_pair = columns["aromatic"][i] and not pyridine and charge == 0
        if hypervalent[i]:  # sulfones and phosphates: nothing is conjugated through them
            continue
        oxo = z in _OXO and any(hypervalent[j] for j, _, _ in graph.neighbours[i])
        if z == _BORON:
            found, given = _ONE if bonded[i] == 3 else {}, 0
        elif unsaturation[i] == 0 or oxo or (lone_pair and z in _TWO):
            found, given = _TWO, 2  # furan, pyrrole and thiophene among them
        else:
            found, given = _ONE, 1
        if z in found:
            levels[i], couplings[i] = found[z]
            levels[i] += _POSITIVE * (charge > 0) + _NEGATIVE * (charge < 0)
            electrons[i] = given
    for i in np.flatnonzero(electrons >= 0).tolist():
        saturated = sum(electrons[j] < 0 and number[j] in (6, 14) for j, _, _ in graph.neighbours[i])
        levels[i] -= _METHYL * saturated
    return levels, couplings, electrons


def _matrices(
    graph: ChainGraph, levels: Floats, couplings: Floats, here: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """H₀ and H₁, (n, n), of the atoms `here` that have an orbital."""
    i, j = graph.edges.T
    strength = couplings[i] * couplings[j] * np.array([_ORDERS[o] for o in graph.orders.tolist()])
    within, onward = np.diag(levels), np.zeros((len(levels), len(levels)))
    np.add.at(within, (i[graph.images == 0], j[graph.images == 0]), strength[graph.images == 0])
    np.add.at(onward, (i[graph.images == 1], j[graph.images == 1]), strength[graph.images == 1])
    at = np.ix_(here, here)
    return within[at], onward[at]

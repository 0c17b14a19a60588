"""What groups of atoms add up to: refraction, volume, cohesion; and how regular and how stiff a chain is.

Counts of fragments hold all of it, but a few hundred polymers are too few to learn from them what chemistry
has long known of groups. Sums are over the atoms of the smallest repeat, hydrogens included:

    refractive index (Lorentz, Lorenz)   n² = (1 + 2 φ) / (1 - φ),   φ = Σ R / (1.6 V)
    van der Waals volume                 V = Σ v - 5.92 bonds - 14.7 aromatic rings - 3.8 other rings, Å³

======  ======================================================================================================
R       atomic refractions, cm³/mol (Eisenlohr, Z. Phys. Chem. 1911, 75, 585; Vogel, J. Chem. Soc. 1948, 1833)
v, V    Zhao, Abraham and Zissimos, J. Org. Chem. 2003, 68, 7368, equation 4
1.6     volume of an amorphous polymer over that of its atoms (van Krevelen, Properties of Polymers, ch. 4)
E       cohesive energies of groups (Fedors, Polym. Eng. Sci. 1974, 14, 147), shared out to atoms, kJ/mol
======  ======================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polymd.properties.chain_graph import ChainGraph

    Floats = NDArray[np.float64]

__all__ = ["CONTRIBUTIONS", "contributions"]

#: names of `contributions`
CONTRIBUTIONS = (
    "refractive_index",
    "mass_density",
    "cohesive_density",
    "polarity_density",
    "volume_an_atom",
    "cross_section",
    "rotatable_backbone",
    "rotatable_side",
    "side_share",
    "longest_side",
    "side_groups",
    "irregular",
    "unlike_backbone",
    "unlike_atoms",
    "odd_backbone",
    "log_backbone",
)

_SPACE = 1.6  # volume of a polymer over that of its atoms
_AVOGADRO = 0.60221  # cm³/mol of an Å³
_BOND, _AROMATIC_RING, _RING = 5.92, 14.7, 3.8  # Å³
_H = (1.008, 7.24, 1.100)  # mass, volume, refraction of hydrogen
#: mass, van der Waals volume, refraction, electronegativity (Pauling)
_ELEMENTS = {
    1: (2.014, 7.24, 1.100, 2.20),  # deuterium, which is written as an atom
    5: (10.81, 40.48, 2.5, 2.04),
    6: (12.011, 20.58, 2.418, 2.55),
    7: (14.007, 15.60, 2.60, 3.04),
    8: (15.999, 14.71, 1.643, 3.44),
    9: (18.998, 13.31, 0.95, 3.98),
    14: (28.086, 38.79, 6.0, 1.90),
    15: (30.974, 24.43, 7.0, 2.19),
    16: (32.06, 24.43, 7.80, 2.58),
    17: (35.45, 22.45, 5.967, 3.16),
    32: (72.63, 40.0, 9.0, 2.01),
    34: (78.97, 28.73, 11.0, 2.55),
    35: (79.904, 26.52, 8.865, 2.96),
    50: (118.71, 45.0, 13.0, 1.96),
    53: (126.90, 32.52, 13.900, 2.66),
}
_OTHER = (60.0, 30.0, 8.0, 2.2)
_DOUBLE, _TRIPLE = 1.733, 2.398  # refraction of a bond
_CARBONYL = 2.211 - 1.643 - _DOUBLE  # an oxygen's own refraction holds its double bond
#: cohesive energy by element; of saturated carbon and of nitrogen by their hydrogens
_COHESION = {5: 13.8, 9: 4.2, 14: 3.4, 15: 9.4, 16: 14.1, 17: 11.6, 35: 15.5, 53: 19.0}
_CARBON = (1.5, 3.4, 4.9, 4.7, 4.7)
_UNSATURATED = 4.3
_OXYGEN, _OXO, _HYDROXYL = 3.4, 13.1, 29.8
_NITROGEN = (4.2, 8.4, 12.6, 12.6, 12.6)


def contributions(graph: ChainGraph) -> Floats:
    """Shape (16,), `CONTRIBUTIONS`, of the smallest repeat of a chain; the same for all its spellings."""
    number, hydrogens, _, aromatic, ring, neighbours, unsaturation = graph.atoms.T
    mass, volume, refraction, pull = np.array([_ELEMENTS.get(z, _OTHER) for z in number.tolist()]).T
    size, heavy_bonds, n_hydrogens = len(number), len(graph.edges) // 2, int(hydrogens.sum())
    i, j = graph.edges.T
    n_aromatic, aromatic_bonds = int(aromatic.sum()), int((graph.orders == 3).sum()) // 2
    rings = heavy_bonds - size  # of an infinite chain
    aromatic_rings = min(max(0, rings), max(round(n_aromatic / 6), aromatic_bonds - n_aromatic))
    total = volume.sum() + _H[1] * n_hydrogens - _BOND * (heavy_bonds + n_hydrogens)
    total -= _AROMATIC_RING * aromatic_rings + _RING * max(0, rings - aromatic_rings)
    oxo = (number == 8) & (hydrogens == 0) & (neighbours == 1)
    double = (graph.orders == 4).sum() / 2 + (graph.orders == 3).sum() / 4
    light = refraction.sum() + _H[2] * n_hydrogens + _DOUBLE * double
    light += _TRIPLE * (graph.orders == 6).sum() / 2 + _CARBONYL * oxo.sum()
    phi = min(0.9, light / (_SPACE * _AVOGADRO * total))
    cohesion = _cohesion(number, hydrogens, unsaturation, oxo)
    weight = mass.sum() + _H[0] * n_hydrogens
    polarity = np.abs(pull[i] - pull[j]).sum() / 2 + (np.abs(pull - 2.2) * hydrogens).sum()
    single = (graph.orders == 2) & ((ring[i] == 0) | (ring[j] == 0))
    inner = (neighbours[i] > 1) & (neighbours[j] > 1)
    along = graph.backbone[i] & graph.backbone[j]
    n_backbone = max(1, int(graph.backbone.sum()))  # a molecule has none
    kinds = _kinds(graph)
    shown = [
        np.sqrt((1.0 + 2.0 * phi) / (1.0 - phi)),
        weight / total,
        cohesion / total,
        polarity / total,
        total / (size + n_hydrogens),
        total / n_backbone,
        (single & along).sum() / max(1, along.sum()),
        (single & inner & ~along).sum() / len(i),
        1.0 - n_backbone / size,
        np.log1p(max(0, int(graph.depths.max()))),
        (~graph.backbone[j] & graph.backbone[i]).sum() / n_backbone,
        _irregular(graph, kinds) / n_backbone,
        len({kinds[a] for a in np.flatnonzero(graph.backbone).tolist()}) / n_backbone,
        len(set(kinds)) / size,
        float(n_backbone % 2),
        np.log(n_backbone),
    ]
    return np.array(shown)


def _cohesion(
    number: NDArray[np.int64],
    hydrogens: NDArray[np.int64],
    unsaturation: NDArray[np.int64],
    oxo: NDArray[np.bool_],
) -> float:
    """Sum of cohesive energies."""
    total = 0.0
    for z, h, u, o in zip(
        number.tolist(), hydrogens.tolist(), unsaturation.tolist(), oxo.tolist(), strict=True
    ):
        if z == 6:
            total += _UNSATURATED if u else _CARBON[h]
        elif z == 7:
            total += _NITROGEN[h]
        elif z == 8:
            total += _OXO if o else (_HYDROXYL if h else _OXYGEN)
        else:
            total += _COHESION.get(z, 8.0)
    return total


def _kinds(graph: ChainGraph) -> list[int]:
    """Of every atom a number that alike atoms share, by up to six rounds of refinement."""
    found, known = [hash(tuple(row)) for row in graph.atoms.tolist()], 0
    for _ in range(6):
        if (kinds := len(set(found))) == known:  # the last round has split no kind, nor will the next
            break
        known = kinds
        found = [
            hash((found[i], tuple(sorted([(order, found[j]) for j, _, order in bonds]))))
            for i, bonds in enumerate(graph.neighbours)
        ]
    return found


def _irregular(graph: ChainGraph, kinds: list[int]) -> int:
    """Backbone atoms with two different side groups, which may lie on either side."""
    count = 0
    for i in np.flatnonzero(graph.backbone & (graph.atoms[:, 6] == 0)).tolist():
        side = [kinds[j] for j, _, _ in graph.neighbours[i] if not graph.backbone[j]]
        side += [0] * int(graph.atoms[i, 1])
        count += len(side) == 2 and side[0] != side[1]
    return count

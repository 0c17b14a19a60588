"""What the network sees of a chain: atoms and bonds as numbers, no coordinates and no handedness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polymd.conformations.chain import Chain

__all__ = ["ATOM_FEATURES", "BOND_FEATURES", "ELEMENTS", "ChainGraph", "chain_graph"]

ELEMENTS = (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53)
_RINGS = (3, 4, 5, 6, 7, 8)
_HYBRIDS = (Chem.HybridizationType.SP, Chem.HybridizationType.SP2, Chem.HybridizationType.SP3)
_ORDERS = (1.0, 1.5, 2.0, 3.0)
ATOM_FEATURES = len(ELEMENTS) + len(_RINGS) + len(_HYBRIDS) + 6
BOND_FEATURES = len(_ORDERS) + 3


@dataclass(frozen=True)
class ChainGraph:
    """Some atoms of a chain with the bonds among them, each bond in both directions."""

    atoms: NDArray[np.float32]  # (n, ATOM_FEATURES)
    senders: NDArray[np.int64]  # (E,)
    receivers: NDArray[np.int64]  # (E,)
    bonds: NDArray[np.float32]  # (E, BOND_FEATURES)


def chain_graph(chain: Chain, atoms: Sequence[int]) -> ChainGraph:
    """Features of `atoms`, which are numbered in the order given.

    Atoms: element, degree, bonded hydrogens, formal charge, aromatic, on the backbone, in a ring and its
    sizes, hybridisation. Bonds: order, conjugated, in a ring, and +1 or -1 along or against the backbone.
    """
    index = {atom: k for k, atom in enumerate(atoms)}
    rings = chain.mol.GetRingInfo()
    rows = np.zeros((len(atoms), ATOM_FEATURES), dtype=np.float32)
    senders, receivers, bonds = [], [], []
    for k, i in enumerate(atoms):
        atom = chain.mol.GetAtomWithIdx(i)
        rows[k] = _atom_row(atom, i in chain.backbone, rings)
        for bond in atom.GetBonds():
            j = bond.GetOtherAtomIdx(i)
            if j not in index:
                continue
            along = 0.0
            if i in chain.backbone and j in chain.backbone and abs(chain.place[i] - chain.place[j]) == 1:
                along = float(chain.place[i] - chain.place[j])
            order = bond.GetBondTypeAsDouble()
            flags = [float(bond.GetIsConjugated()), float(bond.IsInRing()), along]
            senders.append(index[j])
            receivers.append(k)
            bonds.append([float(order == known) for known in _ORDERS] + flags)
    return ChainGraph(
        rows,
        np.array(senders, dtype=np.int64),
        np.array(receivers, dtype=np.int64),
        np.array(bonds, dtype=np.float32).reshape(-1, BOND_FEATURES),
    )


def _atom_row(atom: Chem.Atom, on_backbone: bool, rings: Chem.RingInfo) -> list[float]:
    i, number, hybrid = atom.GetIdx(), atom.GetAtomicNum(), atom.GetHybridization()
    hydrogens = sum(a.GetAtomicNum() == 1 for a in atom.GetNeighbors())
    return [
        *(float(number == z) for z in ELEMENTS),
        *(float(rings.IsAtomInRingOfSize(i, size)) for size in _RINGS),
        *(float(hybrid == kind) for kind in _HYBRIDS),
        atom.GetDegree() / 4.0,
        hydrogens / 3.0,
        float(atom.GetFormalCharge()),
        float(atom.GetIsAromatic()),
        float(on_backbone),
        float(rings.NumAtomRings(i) > 0),
    ]

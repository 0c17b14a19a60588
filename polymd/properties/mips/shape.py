"""3D descriptors of a unit from its geometry: shape, moments of distances, autocorrelation.

The unit has the atoms that continue the chain in the place of its stars and no hydrogens, so that an ETKDG
conformer and a unit of a trajectory are described alike. They are optional: a network trained with them also
predicts without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.networks.conformers import embedded
from polymd.repeats import canonical_chain, substitute_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rdkit.Chem import Mol

    Floats = NDArray[np.float64]

__all__ = ["N_SHAPE", "placed_descriptors", "shape_descriptors"]

N_SHAPE = 102  #: 10 of shape, 12 of USR (Ballester and Richards, 2007), 80 of 3D autocorrelation


def shape_descriptors(psmiles: str, seed: int = 0) -> Floats:
    """3D descriptors (102,) of an ETKDG conformer of the canonical chain's unit; nan where RDKit finds none.

    The same for all spellings of a chain. Raises PSmilesError as `polymd.psmiles.parse`.
    """
    mol = substitute_stars(canonical_chain(psmiles))
    positions = embedded(mol, 1, seed)
    if positions is None:
        positions = embedded(mol, 1, seed, random_coordinates=True)
    return np.full(N_SHAPE, np.nan) if positions is None else _described(mol, positions[0])


def placed_descriptors(psmiles: str, positions: NDArray[np.floating]) -> Floats:
    """3D descriptors (K, 102) of a unit in K geometries (K, A, 3), Å.

    Atoms are in the order of the P-SMILES, stars as the atoms that stand for them, as in `Conformers`.
    """
    mol = substitute_stars(psmiles)
    return np.array([_described(mol, found) for found in positions])


def _described(mol: Mol, positions: NDArray[np.floating]) -> Floats:
    """Of heavy atoms at `positions` (A, 3): asinh of all, which are lengths, moments or sums."""
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors as rd

    placed, conformer = Chem.Mol(mol), Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.ascontiguousarray(positions, dtype=np.float64))
    placed.AddConformer(conformer)
    shape = (
        rd.CalcPMI1, rd.CalcPMI2, rd.CalcPMI3, rd.CalcNPR1, rd.CalcNPR2, rd.CalcRadiusOfGyration,
        rd.CalcInertialShapeFactor, rd.CalcEccentricity, rd.CalcAsphericity, rd.CalcSpherocityIndex,
    )  # fmt: skip
    values = np.array([*(f(placed) for f in shape), *rd.GetUSR(placed), *rd.CalcAUTOCORR3D(placed)])
    found: Floats = np.arcsinh(np.nan_to_num(values, posinf=0.0, neginf=0.0))
    return found

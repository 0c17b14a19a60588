"""3D descriptors of a unit from one RDKit conformer: shape, moments of distances, autocorrelation.

The unit is that of the canonical chain with its stars substituted, so that all spellings of a chain have the
same descriptors. They are optional: a network trained with them also predicts without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polymd.repeats import canonical_chain, substitute_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["N_SHAPE", "shape_descriptors"]

N_SHAPE = 102  #: 10 of shape, 12 of USR (Ballester and Richards, 2007), 80 of 3D autocorrelation
_MOST_ATOMS = 80  # heavy atoms; larger units have none
_TRIES = 10


def shape_descriptors(psmiles: str, seed: int = 0) -> NDArray[np.float64] | None:
    """3D descriptors (102,) of an ETKDG conformer of a unit, or None where RDKit finds none.

    The logarithms of those that are lengths, moments or sums are taken: asinh of all values.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDistGeom
    from rdkit.Chem import rdMolDescriptors as rd

    mol = substitute_stars(canonical_chain(psmiles))
    if mol.GetNumAtoms() > _MOST_ATOMS:
        return None
    mol = Chem.AddHs(mol)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed + 1  # type: ignore[assignment]
    parameters.maxIterations = _TRIES  # type: ignore[assignment]
    with rdBase.BlockLogs():
        if rdDistGeom.EmbedMolecule(mol, parameters) != 0:
            return None
    shape = (
        rd.CalcPMI1, rd.CalcPMI2, rd.CalcPMI3, rd.CalcNPR1, rd.CalcNPR2, rd.CalcRadiusOfGyration,
        rd.CalcInertialShapeFactor, rd.CalcEccentricity, rd.CalcAsphericity, rd.CalcSpherocityIndex,
    )  # fmt: skip
    values = np.array([*(f(mol) for f in shape), *rd.GetUSR(mol), *rd.CalcAUTOCORR3D(mol)])
    found: NDArray[np.float64] = np.arcsinh(np.nan_to_num(values, posinf=0.0, neginf=0.0))
    return found

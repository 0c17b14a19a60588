"""Conformations from RDKit: ETKDGv3 embedding and MMFF94 or UFF minimisation."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rdkit.Chem import Mol

__all__ = ["ConformationError", "embed", "minimise"]


class ConformationError(RuntimeError):
    """No acceptable conformation was found."""


def embed(mol: Mol, n: int, seed: int, seconds: float | None = None) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a molecule with explicit hydrogens, by ETKDGv3 from random coordinates.

    S. Wang, J. Witek, G. A. Landrum, S. Riniker, J. Chem. Inf. Model. 60, 2044 (2020). Stereo is enforced.
    What does not embed that way (crowded chains with given stereo) is embedded by distance geometry alone.
    With `seconds` it gives up after n times that time, in whole seconds rounded up.

    Raises
    ------
    ConformationError
        Fewer than n conformations could be embedded.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDistGeom

    copy = Chem.Mol(mol)
    deadline = None if seconds is None else time.monotonic() + n * seconds
    found: list[NDArray[np.float64]] = []
    with rdBase.BlockLogs():
        for parameters, attempts in ((rdDistGeom.ETKDGv3(), 5), (rdDistGeom.EmbedParameters(), 50)):
            parameters.useRandomCoords = True  # type: ignore[assignment]
            parameters.randomSeed = (seed + len(found)) % (2**31 - 2) + 1  # type: ignore[assignment]
            parameters.maxIterations = attempts  # type: ignore[assignment]
            if deadline is not None:
                left = math.ceil(deadline - time.monotonic())
                if left < 1:
                    break
                parameters.timeout = left  # type: ignore[assignment]
            rdDistGeom.EmbedMultipleConfs(copy, n - len(found), parameters)
            found += [np.array(conformer.GetPositions()) for conformer in copy.GetConformers()]
            if len(found) >= n:
                return np.stack(found[:n])
    raise ConformationError(
        f"RDKit embedded {len(found)} of {n} conformations of {Chem.MolToSmiles(Chem.RemoveHs(mol))};"
        " allowed: units whose rings and stereo can exist in space; fix: check ring sizes and given stereo"
    )


def minimise(mol: Mol, positions: NDArray[np.floating], max_steps: int = 200) -> NDArray[np.float64]:
    """Positions (N, 3) after `max_steps` of MMFF94 minimisation, of UFF where MMFF94 lacks an atom type.

    Unchanged where neither force field knows the molecule.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdForceFieldHelpers
    from rdkit.Geometry import Point3D

    copy = Chem.Mol(mol)
    copy.RemoveAllConformers()
    conformer = Chem.Conformer(copy.GetNumAtoms())
    for i, (x, y, z) in enumerate(np.asarray(positions, dtype=np.float64).tolist()):
        conformer.SetAtomPosition(i, Point3D(x, y, z))
    copy.AddConformer(conformer)
    with rdBase.BlockLogs():
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(copy):
            rdForceFieldHelpers.MMFFOptimizeMolecule(copy, maxIters=max_steps)
        elif rdForceFieldHelpers.UFFHasAllMoleculeParams(copy):
            rdForceFieldHelpers.UFFOptimizeMolecule(copy, maxIters=max_steps)
    return np.array(copy.GetConformer().GetPositions())

"""Splitting labelled molecules by family, so that validation sees polymers that training never saw."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from polymd.datasets.frames import LabelledMolecule


def family(molecule: LabelledMolecule) -> str:
    """P-SMILES of a molecule, or its id where it has none."""
    return molecule.psmiles or molecule.id


@lru_cache(maxsize=100_000)
def family_key(psmiles: str) -> str:
    """The same for every spelling, shift and reversal of a repeat unit: SMILES of the unit closed to a ring.

    Stereo and isotopes are dropped. Units whose ends cannot be bonded (one atom, or bonded already) are
    canonical as they are; what is no P-SMILES is its own key.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        unit = Chem.MolFromSmiles(psmiles)
    stars = [atom.GetIdx() for atom in unit.GetAtoms() if atom.GetAtomicNum() == 0] if unit else []
    if len(stars) != 2 or any(unit.GetAtomWithIdx(star).GetDegree() != 1 for star in stars):
        return psmiles
    for atom in unit.GetAtoms():
        atom.SetIsotope(0)
    ends = [unit.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in stars]
    if (
        ends[0] != ends[1]
        and unit.GetBondBetweenAtoms(ends[0], ends[1]) is None
        and not set(ends) & set(stars)
    ):
        order = unit.GetBondBetweenAtoms(stars[0], ends[0]).GetBondType()
        ring = Chem.RWMol(unit)
        ring.AddBond(ends[0], ends[1], order)
        for star in sorted(stars, reverse=True):
            ring.RemoveAtom(star)
        ring.UpdatePropertyCache(strict=False)
        unit = ring.GetMol()
    return str(Chem.MolToSmiles(Chem.RemoveHs(unit, sanitize=False), isomericSmiles=False))


def split_by_family(
    molecules: Iterable[LabelledMolecule],
    validation: Sequence[str],
    fraction: float,
    seed: int,
    excluded: Sequence[str] = (),
) -> tuple[list[LabelledMolecule], list[LabelledMolecule]]:
    """Training and validation molecules.

    Validation has the families of the list `validation` and a random `fraction` of the others. Twins of
    them, the same polymer spelled in another way, are in neither, nor are the families `excluded` with
    theirs. Raises ValueError for a listed family that has no frames.
    """
    out = {family_key(name) for name in excluded}
    molecules = [m for m in molecules if family_key(family(m)) not in out]
    families = sorted({family(m) for m in molecules})
    missing = sorted(set(validation) - set(families))
    if missing:
        raise ValueError(f"validation family {missing[0]!r} has no frames; remove it or add its data")
    held = set(validation) | _random_families(families, set(validation), fraction, seed)
    keys = {family_key(name) for name in held}
    training = [m for m in molecules if family_key(family(m)) not in keys]
    return training, [m for m in molecules if family(m) in held]


def _random_families(families: list[str], listed: set[str], fraction: float, seed: int) -> set[str]:
    """A fraction of the families that are no twins of the listed ones; of twins all or none."""
    taken = {family_key(name) for name in listed}
    groups: dict[str, list[str]] = {}
    for name in families:
        if family_key(name) not in taken:
            groups.setdefault(family_key(name), []).append(name)
    keys = sorted(groups)
    chosen = np.random.default_rng(seed).permutation(len(keys))[: round(fraction * len(keys))]
    return {name for n in chosen for name in groups[keys[n]]}

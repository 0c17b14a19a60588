"""Beyond the training set: groups that no training polymer has, and elements that PolyGET does not know.

One small chain of each group, moved on the single AIMNet2 model at 300 and 600 K and labelled by the
ensemble; the frames are kept in reference/absent_groups.npz. How often a group occurs in the repeat units of
the training families is counted by its SMARTS and stands in the result; it has to be zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.accuracy.common import FOLDER, ROOT, check_allowed, read_result, write_result
from benchmarks.accuracy.flat import read_flat, write_flat
from benchmarks.accuracy.frames import chosen
from benchmarks.accuracy.methods import errors, predictor, version
from benchmarks.accuracy.sampled import sampled
from polymd.datasets.frames import LabelledMolecule

FILE = FOLDER / "reference" / "absent_groups.npz"
GROUPS = {
    "azide": ("N=[N+]=[N-]", "*CC(*)N=[N+]=[N-]", 2),
    "isothiocyanate": ("N=C=S", "*CC(*)N=C=S", 2),
    "carbodiimide": ("N=C=N", "*CCN=C=N*", 2),
    "isonitrile": ("[N+]#[C-]", "*CC(*)[N+]#[C-]", 2),
    "aliphatic azo": ("[CX4]N=N[CX4]", "*CCN=N*", 2),
    "tetrazole": ("n1nnnc1", "*CC(*)c1nnn(C)n1", 1),
    "N-oxide of pyridine": ("[n+][O-]", "*CC(*)c1cc[n+]([O-])cc1", 1),
    "peroxide": ("OO", "*CCOO*", 2),
    "acyl fluoride": ("C(=O)F", "*CC(*)C(=O)F", 2),
    "sulfonyl fluoride": ("S(=O)(=O)F", "*CC(*)S(=O)(=O)F", 2),
    "thiirane": ("C1SC1", "*CC(*)C1CS1", 2),
    "allene": ("C=C=C", "*CC(*)C=C=C", 2),
    "cyclopropene": ("C1=CC1", "*CC(*)C1C=C1", 2),
    "silicon hydride": ("[SiH]", "*[SiH](C)O*", 3),
    "disilane": ("[Si][Si]", "*[Si](C)(C)[Si](C)(C)C*", 1),
}
UNKNOWN = {"P": "*COP(=O)(C)O*", "B": "*CC(*)B(O)O", "Br": "*CC(*)Br"}
SETTLE, APART, FRAMES = 200, 50, 3  #: fs, fs, frames of each temperature


def sample() -> list[LabelledMolecule]:
    """Labelled frames of a chain of each group; its name is the id."""
    from polymd.datasets.sampling.langevin import Replica
    from polymd.datasets.sampling.starts import Form, make_start

    check_allowed(psmiles for _, psmiles, _ in GROUPS.values())
    replicas, names = [], []
    for number, (name, (_, psmiles, n_units)) in enumerate(GROUPS.items()):
        start = make_start(psmiles, Form("linear", n_units), seed=number)
        for kelvin in (300.0, 600.0):
            replicas.append(Replica(start, kelvin, "", (13, number, int(kelvin))))
            names.append(name)
    return sampled(replicas, names, SETTLE, APART, FRAMES)


def occurrences() -> dict[str, int | None]:
    """How many training families have each group; None where the training data are not there."""
    import h5py
    import yaml
    from rdkit import Chem, rdBase

    source = ROOT / "data" / "train.h5"
    if not source.exists():
        return dict.fromkeys(GROUPS)
    config = yaml.safe_load((ROOT / "examples" / "train_potential.yaml").read_text(encoding="utf-8"))
    with h5py.File(source) as file:
        families = {str(group.attrs["psmiles"]) for group in file.values()}
    families -= set(config["validation_families"]) | set(config["excluded_families"])
    with rdBase.BlockLogs():
        units = [mol for mol in map(Chem.MolFromSmiles, families) if mol]
    patterns = {name: Chem.MolFromSmarts(smarts) for name, (smarts, _, _) in GROUPS.items()}
    return {name: sum(u.HasSubstructMatch(p) for u in units) for name, p in patterns.items()}


def refusals(model: str) -> dict[str, str]:
    """What polymd says about elements the model does not know."""
    from polymd.polymer import Polymer
    from polymd.potentials import check_elements

    said = {}
    for element, psmiles in UNKNOWN.items():
        try:
            check_elements(Polymer(psmiles, 2).atomic_numbers, model)
            said[element] = ""
        except ValueError as error:
            said[element] = str(error)
    return said


def uncertainty(molecules: list[LabelledMolecule], model: str) -> float | None:
    """Root mean square of the committee's `forces_std` (N,) over atoms, eV/Å; None without a committee."""
    from ase import Atoms

    from polymd.potentials import PolyGETCalculator

    try:
        calculator = PolyGETCalculator(model, committee=True)
    except ValueError:
        return None
    squares = []
    for molecule in molecules:
        for positions in molecule.positions:
            calculator.calculate(Atoms(molecule.numbers, positions), ["forces_std"])
            squares.append(np.square(calculator.results["forces_std"]))
    return float(np.sqrt(np.concatenate(squares).mean()))


def main(model: str = "polyget") -> None:
    if not FILE.exists():
        write_flat(FILE, sample(), {"level_of_theory": "AIMNet2 ensemble, wB97M-D3/def2-TZVPP level"})
    molecules = read_flat(FILE)[0]
    counts = (read_result("stress") or {}).get("occurrences") or occurrences()
    predict = predictor(model)
    groups: dict[str, Any] = {}
    for name in GROUPS:
        mine = [m for m in molecules if m.id == name]
        found = errors(mine, predict)
        groups[name] = {
            "psmiles": mine[0].psmiles,
            "atoms": len(mine[0].numbers),
            "frames": found["frames"],
            "force_mae": found["force_mae"],
            "force_rmse": found["force_rmse"],
            "uncertainty": uncertainty(mine, model),
        }
    ordinary = [m for m in chosen(seen=False)[0] if m.kind == "linear"][::4]
    content = {
        "version": version(model),
        "groups": groups,
        "occurrences": counts,
        "refusals": refusals(model),
        "validation_uncertainty": uncertainty(ordinary, model),
    }
    write_result("stress", content, level_of_theory="AIMNet2 ensemble, wB97M-D3/def2-TZVPP level")


if __name__ == "__main__":
    main()

"""The geometries that are labelled by DFT: one of each of 30 validation families, 20 to 28 atoms.

Langevin dynamics on the single AIMNet2 model, 400 fs at 300 or 600 K from an MMFF94 minimum. The file is in
the repository and stays as it is; this script says how it was made.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.common import FOLDER, MODELS, check_allowed, frame
from polymd.datasets.sampling.langevin import Replica, propagate
from polymd.datasets.sampling.starts import Form, make_start
from polymd.datasets.teachers import load_teacher

FILE = FOLDER / "reference" / "dft_geometries.extxyz"
STEPS = 400
POLYMERS = [
    ("*OCC*", "ring", 3),
    ("*OCCC*", "ring", 2),
    ("*OCC(C)*", "ring", 2),
    ("*OCCCC(=O)*", "ring", 2),
    ("*OCCCC*", "ring", 2),
    ("*CC=C(Cl)C*", "linear", 2),
    ("*CC(SC)*", "linear", 2),
    ("*CC(C)(C(=O)OCCCl)*", "linear", 1),
    ("C(=O)(O*)C1=CC=CC(=C1)C(=O)OCC*", "linear", 1),
    ("*CC(C)(C(=O)OC(C)C)*", "linear", 1),
    ("*CC(C)(C1=CC=CC=C1)*", "linear", 1),
    ("*[Si](C)(CCC1=CC(Cl)=CC=C1)O*", "linear", 1),
    ("*CC(C)(C(=O)OC1=CC=CC=C1)*", "linear", 1),
    ("*CC(OCCCCC)*", "linear", 1),
    ("*C(F)C(*)(F)F", "linear", 3),
    ("*CC(=S)NC(=S)*", "linear", 2),
    ("*CC(C)C(=O)O*", "linear", 2),
    ("*CC(F)(F)C(F)=C(*)Cl", "linear", 2),
    ("*CCCSS*", "linear", 2),
    ("*NC(=O)NO*", "linear", 3),
    ("*NCC(F)(F)C(*)(F)F", "linear", 2),
    ("*OC(=O)NCCCCC*", "linear", 1),
    ("*Oc1ccc(Oc2cccc(*)n2)cc1", "linear", 1),
    ("*NC(C)C(=O)NCCCC(*)=O", "linear", 1),
    ("*CC(C)(C)COC(=O)O*", "linear", 1),
    ("*CCC(C#N)CC(C)=C(*)C", "linear", 1),
    ("*CCCN(*)C=O", "linear", 2),
    ("*CCOCCOC(=O)C=CC(=O)O*", "linear", 1),
    ("*C=CC1CC(*)C(C#N)(CC)C1", "linear", 1),
    ("*c1ccc2[nH]c(*)nc2c1", "linear", 2),
]


def basis_functions(numbers: list[int]) -> int:
    """Of def2-TZVP: 6 for hydrogen, 31 for the second period, 37 for the third."""
    return sum(6 if z == 1 else 31 if z < 11 else 37 for z in numbers)


def main() -> None:
    from ase.io import write

    if FILE.exists():
        print(f"{FILE} is there already")
        return
    check_allowed(psmiles for psmiles, _, _ in POLYMERS)
    replicas = []
    for number, (psmiles, kind, n_units) in enumerate(POLYMERS):
        start = make_start(psmiles, Form(kind, n_units), seed=number)
        replicas.append(Replica(start, (300.0, 600.0)[number % 2], "", (7, number)))
    propagate(replicas, load_teacher("aimnet2-single", MODELS), STEPS, 0)
    images = [
        frame(
            r.start.numbers,
            r.positions,
            psmiles=r.start.psmiles,
            kind=r.start.form.kind,
            n_units=r.start.form.n_units,
            id=r.start.id,
            temperature=r.temperature,
        )
        for r in sorted(replicas, key=lambda r: basis_functions(r.start.numbers.tolist()))
    ]
    Path(FILE.parent).mkdir(exist_ok=True)
    write(FILE, images, format="extxyz")


if __name__ == "__main__":
    main()

"""Attach PolyGET to ASE Atoms and optimise a chain of poly(ethylene oxide).

python examples/optimise_with_ase.py
"""

from ase import Atoms
from ase.io import write
from ase.optimize import LBFGS

from polymd import Polymer, generate_conformations
from polymd.potentials import PolyGETCalculator


def main(units: int = 10, steps: int = 200) -> Atoms:
    polymer = Polymer("*CCO*", units)
    positions = generate_conformations(polymer, 1, seed=1)[0]
    atoms = polymer.to_ase(positions)
    atoms.calc = PolyGETCalculator()
    before = atoms.get_potential_energy()

    LBFGS(atoms, logfile="-").run(fmax=0.05, steps=steps)

    change = atoms.get_potential_energy() - before
    print(f"{polymer.name}: {change:.3f} eV from the grown to the optimised chain")
    write("optimised.xyz", atoms)
    return atoms


if __name__ == "__main__":
    main()

"""PolyGET in OpenMM-ML: `openmmml.MLPotential("polyget")`.

openmmml finds it by an entry point of the group `openmmml.potentials` and loads every entry point when it is
imported, so this module imports nothing heavy.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openmm

IMPLEMENTATIONS = ("python", "torch")
MULTIPLE = ("Double", "Triple", "Aromatic")


class PolyGETPotentialImplFactory:
    """Makes the implementation behind `MLPotential("polyget")`.

    It stands before the import of openmmml, which asks for it here while it is itself being imported.
    """

    def createImpl(self, name: str, model: str | None = None) -> "PolyGETPotentialImpl":
        """Raises ValueError for an unknown model."""
        return PolyGETPotentialImpl(model or name)


from openmmml.mlpotential import MLPotentialImpl  # noqa: E402


class PolyGETPotentialImpl(MLPotentialImpl):
    """Adds PolyGET to a System, for all atoms or for the ML region of a mixed system.

    Parameters
    ----------
    model
        Name or file of a model, see `polymd.potentials.available`.

    Raises
    ------
    ValueError
        For an unknown model.
    """

    def __init__(self, model: str) -> None:
        from polymd.potentials.registry import find

        find(model)
        self.model = model

    def addForces(
        self,
        topology: Any,
        system: "openmm.System",
        atoms: Iterable[int] | None,
        forceGroup: int,
        implementation: str = "python",
        backend: str = "auto",
        **args: Any,
    ) -> None:
        """Add PolyGET of `atoms` (all if None) to a System. Periodic if the topology has a box.

        Beside it goes a HarmonicBondForce with the bonds among these atoms at force constant zero: OpenMM
        takes molecules from bonded terms, and without them a barostat would scale, and a reporter wrap, each
        atom by itself.

        Parameters
        ----------
        topology, system, atoms, forceGroup
            As openmmml hands them over; link atoms are among `atoms` already.
        implementation
            `python`: PythonForce, any platform, the model on the CPU. `torch`: TorchForce, on the GPU under
            CUDA; needs the extra `torchforce`, and can neither interpolate nor be read back from XML:
            openmmtorch 1.5 crashes there.
        backend
            Of `python`: see `PolyGETCalculator`.
        args
            Arguments meant for the embedding.

        Raises
        ------
        ValueError
            For an unknown argument, implementation, backend, atom or element, for a System that is periodic
            where the topology is not, for an ML region that cuts a double, triple or aromatic bond, and for
            `torch` in a System that interpolates.
        """
        from polymd.potentials.openmm import python_force, torch_force

        if atoms is None and args:
            raise ValueError(f"unknown argument {', '.join(args)}; known: implementation, backend")
        if system.usesPeriodicBoundaryConditions() and topology.getPeriodicBoxVectors() is None:
            raise ValueError(
                "the System is periodic and the topology has no box; give it one with setPeriodicBoxVectors"
            )
        if implementation not in IMPLEMENTATIONS:
            raise ValueError(
                f'unknown implementation "{implementation}"; known: {", ".join(IMPLEMENTATIONS)}'
            )
        region = None if atoms is None else list(atoms)
        if implementation == "torch":
            if system.getNumParticles() == 0:  # where openmmml collects the forces that it will interpolate
                raise ValueError('a TorchForce cannot be copied, as interpolate=True does; take "python"')
            force = torch_force(topology, self.model, atoms=region)
        else:
            force = python_force(topology, self.model, backend=backend, atoms=region)
        for addition in (force, _molecules(topology, region)):
            addition.setForceGroup(forceGroup)
            system.addForce(addition)

    def getMLLongRange(self) -> bool:
        """False: PolyGET ends at its cutoff; long-range electrostatics stay with the MM charges."""
        return False


def _molecules(topology: Any, atoms: list[int] | None) -> "openmm.HarmonicBondForce":
    """Bonds of force constant zero among `atoms`. Raises ValueError where a multiple bond leaves them."""
    import openmm

    region = set(range(topology.getNumAtoms()) if atoms is None else atoms)
    force = openmm.HarmonicBondForce()
    force.setName("PolyGET bonds")
    for bond in topology.bonds():
        ends = (bond.atom1.index, bond.atom2.index)
        inside = region.intersection(ends)
        if len(inside) == 2:
            force.addBond(*ends, 0.1, 0.0)
        elif inside and str(bond.type) in MULTIPLE:
            raise ValueError(
                f"the ML region cuts the {str(bond.type).lower()} bond {ends[0]}-{ends[1]}; hydrogen can cap "
                "single bonds only: widen the region until it cuts no other"
            )
    return force

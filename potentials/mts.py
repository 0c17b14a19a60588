"""Two models as the two forces of multiple time stepping in OpenMM."""

from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.potentials.backends import BACKENDS
from polymd.potentials.openmm import Computation, select
from polymd.potentials.registry import check_elements, find

if TYPE_CHECKING:
    import openmm


class Correction:
    """The function of the outer PythonForce: one model minus another, picklable.

    The inner computation is shared with the inner force and remembers its last answer, so at the ends of an
    outer step it costs nothing here.
    """

    def __init__(self, outer: Computation, inner: Computation) -> None:
        self.outer, self.inner = outer, inner

    def __call__(self, state: "openmm.State") -> tuple[float, np.ndarray[Any, Any]]:
        """Energy (kJ/mol) and forces (N, 3) (kJ/mol/nm) of a State."""
        (energy, forces), (less, fewer) = self.outer(state), self.inner(state)
        return energy - less, forces - fewer


def mts_forces(
    topology: Any, model: str = "polyget", inner: str = "polyget-fast", *, backend: str = "auto"
) -> tuple["openmm.PythonForce", "openmm.PythonForce"]:
    """Outer and inner force of `polymd.integrators.mts_integrator`, in force groups 0 and 1.

    The inner one is the model `inner`, the outer one `model` minus `inner`: together, as in the potential
    energy of a System with both, they are `model`. Periodic if the topology has a box; backends as for
    `PolyGETCalculator`.

    Raises
    ------
    ValueError
        For an unknown model, backend or element.
    """
    import openmm

    _, numbers = select(topology)
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend "{backend}"; known: {", ".join(BACKENDS)}')
    periodic = topology.getPeriodicBoxVectors() is not None
    for name in (model, inner):
        check_elements(numbers, name)
    full, fast = (Computation(numbers, str(find(name)), periodic, backend) for name in (model, inner))
    forces = openmm.PythonForce(Correction(full, fast)), openmm.PythonForce(fast)
    for group, (force, name) in enumerate(zip(forces, ("PolyGET correction", "PolyGET inner"), strict=True)):
        force.setUsesPeriodicBoundaryConditions(periodic)
        force.setForceGroup(group)
        force.setName(name)
    return forces

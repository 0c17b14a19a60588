"""PolyGET as OpenMM forces; nm and kJ/mol appear only here.

`torch_force` needs openmmtorch and runs the TorchScript module on any platform and device; `python_force`
needs only OpenMM and runs a backend of `backends.py`.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.potentials.backends import BACKENDS, Backend, make_backend
from polymd.potentials.registry import check_elements, find, load
from polymd.units import EV_KJ_MOL

if TYPE_CHECKING:
    import openmm
    import openmmtorch

ANGSTROM_IN_NM = 0.1


def atomic_numbers(topology: Any) -> list[int]:
    """Atomic numbers of an OpenMM topology. Raises ValueError for a particle without an element."""
    for atom in topology.atoms():
        if atom.element is None:
            raise ValueError(
                f"atom {atom.index} ({atom.name}) has no element; PolyGET needs one for every particle"
            )
    return [atom.element.atomic_number for atom in topology.atoms()]


def torch_force(
    topology: Any, model: str = "polyget", *, periodic: bool | None = None
) -> "openmmtorch.TorchForce":
    """An `openmmtorch.TorchForce` of a model for all atoms of an OpenMM topology, in the topology's order.

    `periodic=None` takes periodicity from the topology's box vectors. Raises ValueError for an unknown
    model or element, ImportError where openmmtorch is missing (extra `torchforce`).
    """
    import torch

    from polymd.potentials.plugin import import_openmmtorch
    from polymd.potentials.polyget.scripted import OpenMMModule

    openmmtorch = import_openmmtorch()
    numbers = atomic_numbers(topology)
    check_elements(numbers, model)
    if periodic is None:
        periodic = topology.getPeriodicBoxVectors() is not None
    module = torch.jit.script(OpenMMModule(load(model), numbers, periodic))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "polyget.pt")
        module.save(path)
        force = openmmtorch.TorchForce(path)
    force.setUsesPeriodicBoundaryConditions(periodic)
    force.setName("PolyGET")
    return force


class Computation:
    """The function of a PythonForce: picklable, as it keeps the names of things and makes its backend when
    called. It remembers its last answer, for OpenMM asks twice about the positions of every frame: once for
    the frame's energy, once for the next step.
    """

    def __init__(self, numbers: list[int], model: str, periodic: bool, backend: str) -> None:
        self.numbers, self.model, self.periodic, self.backend = numbers, model, periodic, backend
        self._backend: Backend | None = None
        self._last: tuple[bytes, tuple[float, np.ndarray[Any, Any]]] = (b"", (0.0, np.empty((0, 3))))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_backend": None, "_last": (b"", None)}

    def __call__(self, state: "openmm.State") -> tuple[float, np.ndarray[Any, Any]]:
        """Energy (kJ/mol) and forces (N, 3) (kJ/mol/nm) of a State."""
        if self._backend is None:
            self._backend = make_backend(self.numbers, self.model, self.backend)
        positions = state.getPositions(asNumpy=True)._value / ANGSTROM_IN_NM
        cell = np.zeros((3, 3))
        if self.periodic:
            cell = state.getPeriodicBoxVectors(asNumpy=True)._value / ANGSTROM_IN_NM
        question = positions.tobytes() + cell.tobytes()
        if question != self._last[0]:
            result = self._backend.evaluate(positions, cell, np.full(3, self.periodic))
            forces = result.forces * (EV_KJ_MOL * ANGSTROM_IN_NM**-1)
            self._last = (question, (result.energy * EV_KJ_MOL, forces))
        return self._last[1]


def python_force(topology: Any, model: str = "polyget", *, backend: str = "auto") -> "openmm.PythonForce":
    """An `openmm.PythonForce` of a model for all atoms of an OpenMM topology, periodic if the topology has
    a box.

    Backends as for `PolyGETCalculator`. Raises ValueError for an unknown model, backend or element.
    """
    import openmm

    numbers = atomic_numbers(topology)
    check_elements(numbers, model)
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend "{backend}"; known: {", ".join(BACKENDS)}')
    periodic = topology.getPeriodicBoxVectors() is not None
    force = openmm.PythonForce(Computation(numbers, str(find(model)), periodic, backend))
    force.setUsesPeriodicBoundaryConditions(periodic)
    force.setName("PolyGET")
    return force

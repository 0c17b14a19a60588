"""PolyGET as OpenMM forces; nm and kJ/mol appear only here.

`torch_force` needs openmmtorch; it runs the fast engine on the CPU, as an operator of torch, and a module of
TorchScript on a GPU. `python_force` needs only OpenMM and runs a backend of `backends.py`.
"""

import tempfile
from collections.abc import Iterable
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


def select(topology: Any, atoms: Iterable[int] | None = None) -> tuple[list[int], list[int]]:
    """Indices and atomic numbers of the chosen atoms of an OpenMM topology, of all if `atoms` is None.

    Raises ValueError for an empty choice, an index that is not there or comes twice, and for a particle
    without an element.
    """
    particles = list(topology.atoms())
    chosen = list(range(len(particles))) if atoms is None else [int(index) for index in atoms]
    if not chosen:
        raise ValueError("no atoms chosen; give at least one index, or None for all atoms")
    if len(set(chosen)) < len(chosen):
        twice = next(index for index in chosen if chosen.count(index) > 1)
        raise ValueError(f"atom {twice} is chosen more than once; give every index once")
    for index in chosen:
        if not 0 <= index < len(particles):
            raise ValueError(f"no atom {index}; the topology has atoms 0 to {len(particles) - 1}")
        if particles[index].element is None:
            raise ValueError(
                f"atom {index} ({particles[index].name}) has no element; PolyGET needs one for every particle"
            )
    return chosen, [particles[index].element.atomic_number for index in chosen]


def torch_force(
    topology: Any,
    model: str = "polyget",
    *,
    periodic: bool | None = None,
    atoms: Iterable[int] | None = None,
) -> "openmmtorch.TorchForce":
    """An `openmmtorch.TorchForce` of a model for the atoms of an OpenMM topology, in the topology's order.

    `periodic=None` takes periodicity from the topology's box vectors; `atoms` are the indices of those the
    model sees, all by default. Raises ValueError for an unknown model, element or atom, ImportError where
    openmmtorch is missing (extra `torchforce`).
    """
    import torch

    from polymd.potentials.plugin import import_openmmtorch
    from polymd.potentials.polyget.scripted import OpenMMModule

    openmmtorch = import_openmmtorch()
    chosen, numbers = select(topology, atoms)
    check_elements(numbers, model)
    if periodic is None:
        periodic = topology.getPeriodicBoxVectors() is not None
    module = torch.jit.script(OpenMMModule(load(model), model, numbers, periodic, chosen))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "polyget.pt")
        module.save(path)
        force = openmmtorch.TorchForce(path)
    force.setOutputsForces(True)
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


def python_force(
    topology: Any, model: str = "polyget", *, backend: str = "auto", atoms: Iterable[int] | None = None
) -> "openmm.PythonForce":
    """An `openmm.PythonForce` of a model for the atoms of an OpenMM topology, periodic if the topology has
    a box.

    Backends as for `PolyGETCalculator`; `atoms` are the indices of those the model sees, all by default.
    Raises ValueError for an unknown model, backend, element or atom.
    """
    import openmm

    chosen, numbers = select(topology, atoms)
    check_elements(numbers, model)
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend "{backend}"; known: {", ".join(BACKENDS)}')
    periodic = topology.getPeriodicBoxVectors() is not None
    force = openmm.PythonForce(Computation(numbers, str(find(model)), periodic, backend))
    if atoms is not None:
        force.setParticles(chosen)
    force.setUsesPeriodicBoundaryConditions(periodic)
    force.setName("PolyGET")
    return force

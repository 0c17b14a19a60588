"""A potential of springs along the bonds: quick, exact in float64, and able to misbehave on request."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.data import covalent_radii
from numpy.typing import NDArray

from polymd.simulation import Config
from polymd.units import EV_KJ_MOL

STIFFNESS = 20.0  # eV/Å²


class Springs:
    """E = ½ k Σ (r - r₀)² over bonds, r₀ from covalent radii; `event(call)` runs before each evaluation."""

    def __init__(self, topology: Any, event: Callable[[int], None]) -> None:
        pairs = [(bond[0], bond[1]) for bond in topology.bonds()]
        self.bonds = np.array([(a.index, b.index) for a, b in pairs])
        radii = [covalent_radii[[a.element.atomic_number, b.element.atomic_number]].sum() for a, b in pairs]
        self.lengths = np.array(radii)
        self.event = event
        self.calls = 0

    def evaluate(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Energy (eV) and forces (eV/Å) at positions (Å)."""
        self.calls += 1
        self.event(self.calls)
        i, j = self.bonds.T
        separation = x[j] - x[i]
        distance = np.linalg.norm(separation, axis=1)
        pull = (STIFFNESS * (distance - self.lengths) / distance)[:, None] * separation
        forces = np.zeros_like(x)
        np.add.at(forces, i, pull)
        np.add.at(forces, j, -pull)
        return 0.5 * STIFFNESS * float(((distance - self.lengths) ** 2).sum()), forces

    def __call__(self, state: Any) -> tuple[float, NDArray[np.float64]]:
        """The same for a PythonForce."""
        energy, forces = self.evaluate(state.getPositions(asNumpy=True)._value * 10.0)
        return energy * EV_KJ_MOL, forces * (10.0 * EV_KJ_MOL)


def install(set_attribute: Callable[[object, str, object], None], event: Callable[[int], None]) -> None:
    """Put springs where the PolyGET forces are, for OpenMM and ASE."""
    import openmm
    from ase.calculators.calculator import Calculator

    from polymd import potentials
    from polymd.simulation import ase_engine

    class SpringCalculator(Calculator):  # type: ignore[misc]
        implemented_properties = ("energy", "forces")

        def __init__(self, springs: Springs) -> None:
            super().__init__()
            self.springs = springs

        def calculate(self, atoms=None, properties=None, system_changes=()):  # type: ignore[no-untyped-def]
            super().calculate(atoms, properties, system_changes)
            energy, forces = self.springs.evaluate(self.atoms.get_positions())
            self.results = {"energy": energy, "forces": forces}

    set_attribute(potentials, "python_force", lambda top, model: openmm.PythonForce(Springs(top, event)))
    set_attribute(
        ase_engine, "_calculator", lambda system, _: SpringCalculator(Springs(system.topology, event))
    )
    set_attribute(potentials, "check_elements", lambda numbers, model: None)


@pytest.fixture
def springs(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """Springs instead of PolyGET; call it with an event to plan a misfortune."""
    install(monkeypatch.setattr, lambda call: None)
    return lambda event: install(monkeypatch.setattr, event)


@pytest.fixture
def small(tmp_path: Path, springs: object) -> Callable[..., Config]:
    """Config of a short run on springs, with changes."""

    def make(**changes: Any) -> Config:
        fields = {"psmiles": "*CC*", "units": 3, "time": "40fs", "report": "10fs", "engine": "pythonforce"}
        return Config(**fields | {"out": tmp_path / "run"} | changes)

    return make

"""Everything that turns positions into energy and forces."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polymd.potentials.ase import PolyGETCalculator
    from polymd.potentials.guard import UncertaintyError, UncertaintyGuard
    from polymd.potentials.mts import mts_forces
    from polymd.potentials.openmm import python_force, torch_force
    from polymd.potentials.registry import available, card, check_elements, load
    from polymd.potentials.replicas import Replicas

_HOME = {
    "PolyGETCalculator": "ase",
    "Replicas": "replicas",
    "UncertaintyError": "guard",
    "UncertaintyGuard": "guard",
    "torch_force": "openmm",
    "mts_forces": "mts",
    "python_force": "openmm",
    "available": "registry",
    "load": "registry",
    "card": "registry",
    "check_elements": "registry",
}

__all__ = [
    "PolyGETCalculator",
    "Replicas",
    "UncertaintyError",
    "UncertaintyGuard",
    "available",
    "card",
    "check_elements",
    "load",
    "mts_forces",
    "python_force",
    "torch_force",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'polymd.potentials' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)

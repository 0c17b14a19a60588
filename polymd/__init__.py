"""polymd: from a P-SMILES to conformations, machine-learned molecular dynamics and properties of polymers.

The names below load on first use, so that `import polymd` stays fast; every subpackage
(`polymd.neighbors`, `polymd.potentials`, `polymd.observables`, ...) imports on its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polymd.conformations import generate_conformations
    from polymd.polymer import Polymer
    from polymd.simulation import Run, simulate

__version__ = "0.1.0"
__all__ = ["Polymer", "Run", "__version__", "generate_conformations", "simulate"]

_HOME = {
    "Polymer": "polymd.polymer",
    "Run": "polymd.simulation",
    "generate_conformations": "polymd.conformations",
    "simulate": "polymd.simulation",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'polymd' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))

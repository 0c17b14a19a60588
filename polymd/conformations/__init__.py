"""Initial conformations of polymers."""

from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.generate import generate_conformations

__all__ = ["ConformationError", "clash_count", "generate_conformations"]

"""Observables of a trajectory, each with its standard error.

Every function takes an unwrapped `mdtraj.Trajectory` whose topology holds one or several copies of a
chain, as `polymd.Polymer.to_mdtraj` writes it. Lengths are in Å and angles in degrees.
"""

from polymd.observables.estimate import Estimate, mean_with_error, ratio_with_error
from polymd.observables.size import (
    characteristic_ratio,
    end_to_end_distance,
    end_to_end_distance_series,
    radius_of_gyration,
    radius_of_gyration_series,
)
from polymd.observables.torsions import TorsionDistribution, torsion_distribution, torsion_pairs

__all__ = [
    "Estimate",
    "TorsionDistribution",
    "characteristic_ratio",
    "end_to_end_distance",
    "end_to_end_distance_series",
    "mean_with_error",
    "radius_of_gyration",
    "radius_of_gyration_series",
    "ratio_with_error",
    "torsion_distribution",
    "torsion_pairs",
]

"""From the frames and the log of a run to properties.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polymd.simulation.config import Config
from polymd.simulation.run import Run

if TYPE_CHECKING:
    import numpy as np
    from mdtraj import Trajectory
    from numpy.typing import NDArray

    from polymd.observables import Estimate

_BOND_ATOMS, _TORSION_ATOMS = 2, 4
_MAP_BINS = 36
_FROM_LOG = (
    ("potential_energy", "potential_energy_eV", "eV"),
    ("kinetic_energy", "kinetic_energy_eV", "eV"),
    ("temperature", "temperature_K", "K"),
)
_OF_NPT = (("density", "density_g_cm3", "g/cm3"),)


def analyse(run: Run, config: Config) -> dict[str, Any]:
    """Observables of a run, ready for JSON: `{"value", "error", "unit"}` each, and histograms of torsions.

    Every frame counts but the first, the minimised chain, whose torsions stand beside the map of pairs. A
    backbone of fewer than two atoms has no ends, one of fewer than four no torsions.
    """
    from polymd import observables
    from polymd.polymer import Polymer

    trajectory, log = run.trajectory[1:], run.log[1:]
    backbone = Polymer(config.psmiles, config.units, tacticity=config.tacticity, seed=config.seed).backbone
    estimates: dict[str, Estimate] = {"radius_of_gyration": observables.radius_of_gyration(trajectory)}
    if len(backbone) >= _BOND_ATOMS:
        estimates["end_to_end_distance"] = observables.end_to_end_distance(trajectory, backbone)
        estimates["characteristic_ratio"] = observables.characteristic_ratio(trajectory, backbone)
    for name, column, unit in (*_FROM_LOG, *(_OF_NPT if config.ensemble == "npt" else ())):
        estimates[name] = observables.mean_with_error(log[column], unit)
    results: dict[str, Any] = {name: estimate.as_dict() for name, estimate in estimates.items()}
    if len(backbone) >= _TORSION_ATOMS:
        results["torsion_distribution"] = observables.torsion_distribution(trajectory, backbone).as_dict()
    if len(backbone) > _TORSION_ATOMS:
        results["torsion_map"] = _torsion_map(run.trajectory, backbone)
    return results


def _torsion_map(trajectory: Trajectory, backbone: NDArray[np.int64]) -> dict[str, Any]:
    """Pairs of neighbouring torsions: a histogram of the run, and those of its start."""
    import numpy as np

    from polymd.observables import torsion_pairs

    pairs = torsion_pairs(trajectory, backbone)
    edges = np.linspace(-180.0, 180.0, _MAP_BINS + 1)
    counts = np.histogram2d(pairs[1:, :, 0].ravel(), pairs[1:, :, 1].ravel(), bins=[edges, edges])[0]
    return {
        "edges": edges.tolist(),
        "counts": counts.astype(int).tolist(),
        "start": pairs[0].round(1).tolist(),
        "unit": "degree",
    }


def write_properties(run: Run, config: Config) -> Path:
    """Write properties.json into the run folder."""
    path = run.path / "properties.json"
    path.write_text(json.dumps(analyse(run, config), indent=2, allow_nan=False) + "\n")
    return path

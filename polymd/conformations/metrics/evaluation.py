"""Generated conformations against reference chains: all metrics of one polymer, and tables of methods."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.metrics.baselines import generate
from polymd.conformations.metrics.distributions import (
    neighbor_torsion_divergence,
    rotor_divergence,
    torsion_divergence,
)
from polymd.conformations.metrics.energies import (
    energy_differences,
    heavy_atom_energies,
)
from polymd.conformations.metrics.geometry import geometry_errors
from polymd.conformations.metrics.stability import starts_dynamics
from polymd.conformations.metrics.superposition import matching, rmsd_matrix
from polymd.datasets.polybench.ambertools import AmberToolsError

if TYPE_CHECKING:
    from polymd.datasets.polybench.storage import ReferenceChain
    from polymd.polymer import Polymer

__all__ = ["METRICS", "compare", "evaluate_chains", "evaluate_method", "floor", "matches", "summarise"]

Frames = NDArray[np.floating]
Row = dict[str, Any]
Watch = Callable[[str], None]

METRICS = {
    "s_mat_r": "Å, S-MAT recall",
    "s_mat_p": "Å, S-MAT precision",
    "e_mat_r": "Hartree per heavy atom, E-MAT recall, signed as published",
    "e_mat_p": "Hartree per heavy atom, E-MAT precision, signed as published",
    "e_mat_r_absolute": "Hartree per heavy atom, E-MAT recall of |E_gen - E_ref|",
    "clash_free": "share of chains without a clash",
    "torsion_divergence": "bits",
    "neighbor_torsion_divergence": "bits",
    "rotor_divergence": "bits, sizes of all rotors, side groups included",
    "bond_error": "Å, mean bond lengths",
    "angle_error": "degree, mean bond angles",
    "rg_distance": "Å, Wasserstein distance of radii of gyration",
    "ree_distance": "Å, Wasserstein distance of end-to-end distances",
    "characteristic_ratio": "C_n",
    "energy_above_nvt": "kcal/mol/atom, GAFF2 with hydrogens, over the mean of NVT",
    "starts_nvt": "share of chains that run NVT without minimising",
    "made": "share of the chains that the method gave",
    "seconds": "s a chain",
}
"""Metrics and their units."""


def compare(polymer: Polymer, generated: Frames, targets: Frames, ensemble: Frames) -> dict[str, float]:
    """Metrics of structure of `generated` (G, N, 3) Å.

    S-MAT and E-MAT are against the `targets` (R, N, 3), single independent structures; distributions
    against all frames of the `ensemble` (F, N, 3).
    """
    from mdtraj import Trajectory
    from scipy.stats import wasserstein_distance

    from polymd.observables import (
        characteristic_ratio,
        end_to_end_distance_series,
        radius_of_gyration_series,
    )

    topology = polymer.to_mdtraj()
    made, real = (Trajectory(0.1 * np.asarray(x), topology) for x in (generated, ensemble))
    rg = [radius_of_gyration_series(t) for t in (made, real)]
    ree = [end_to_end_distance_series(t, polymer.backbone) for t in (made, real)]
    return matches(polymer, generated, targets) | {
        "clash_free": float(np.mean([clash_count(polymer, x) == 0 for x in generated])),
        "torsion_divergence": torsion_divergence(polymer, generated, ensemble),
        "neighbor_torsion_divergence": neighbor_torsion_divergence(polymer, generated, ensemble),
        "rotor_divergence": rotor_divergence(polymer, generated, ensemble),
        **geometry_errors(polymer, generated, ensemble),
        "rg_distance": float(wasserstein_distance(*rg)),
        "ree_distance": float(wasserstein_distance(*ree)),
        "characteristic_ratio": characteristic_ratio(made, polymer.backbone).value,
    }


def matches(polymer: Polymer, generated: Frames, targets: Frames) -> dict[str, float]:
    """S-MAT and E-MAT of `generated` (G, N, 3) Å against `targets` (R, N, 3) Å."""
    heavy = polymer.atomic_numbers > 1
    s_recall, s_precision = matching(rmsd_matrix(generated[:, heavy], targets[:, heavy]))
    energies = energy_differences(
        heavy_atom_energies(polymer, generated), heavy_atom_energies(polymer, targets)
    )
    e_recall, e_precision = matching(energies)
    return {
        "s_mat_r": s_recall,
        "s_mat_p": s_precision,
        "e_mat_r": e_recall,
        "e_mat_p": e_precision,
        "e_mat_r_absolute": matching(np.abs(energies))[0],
    }


def floor(chain: ReferenceChain, n: int) -> dict[str, float]:
    """The same metrics of independent dynamics against dynamics: the scale to read methods on.

    Every start in turn is the reference and `n` frames spread over the other starts are the generated
    structures; for S-MAT-P and E-MAT-P its frames are the generated ones and the last frames of the others
    the references. The mean over starts. Frames of one start resemble each other and one reference is
    missing, so S-MAT comes out high: chains that are all independent can come below it.
    """
    polymer, found = chain.polymer(), []
    starts = np.unique(chain.start)
    if len(starts) < 2:
        raise ValueError(f"one start of {chain.psmiles!r}; allowed: two or more; fix: more references")
    last = _last_frames(chain)
    for start, final in zip(starts, last, strict=True):
        own, others = chain.positions[chain.start == start], chain.positions[chain.start != start]
        values = compare(polymer, _spread(others, n), chain.positions[final][None], own)
        reverse = matches(polymer, _spread(own, n), chain.positions[last[last != final]])
        found.append(values | {key: reverse[key] for key in ("s_mat_p", "e_mat_p")})
    means = {key: float(np.mean([row[key] for row in found])) for key in found[0]}
    return means | {"energy_above_nvt": 0.0, "starts_nvt": 1.0}


def _last_frames(chain: ReferenceChain) -> NDArray[np.int64]:
    """Index of the last frame of each start."""
    return np.array([np.flatnonzero(chain.start == start)[-1] for start in np.unique(chain.start)])


def _spread(frames: Frames, n: int) -> Frames:
    """At most `n` frames, evenly spaced, with the last."""
    chosen = np.unique(np.linspace(len(frames) - 1, 0, n).round().astype(int))
    return np.asarray(frames[chosen])


def evaluate_method(
    chain: ReferenceChain,
    method: str,
    n: int,
    *,
    n_dynamics: int = 3,
    seed: int = 0,
    library: Sequence[ReferenceChain] = (),
    limit: float | None = None,
) -> dict[str, float]:
    """All `METRICS` of `n` chains that a method makes of a reference chain's polymer.

    `method`, `library` and `limit` are those of `baselines.generate`. The first `n_dynamics` chains
    are tried in dynamics. GAFF2's metrics are NaN without AmberTools.

    Raises
    ------
    ConformationError
        The method fails on the polymer.
    """
    polymer = chain.polymer()
    begin = time.process_time()
    generated = generate(polymer, method, n, seed=seed, library=library, limit=limit)
    cost = {"made": len(generated) / n, "seconds": (time.process_time() - begin) / n}
    values = compare(polymer, generated, chain.positions[_last_frames(chain)], chain.positions)
    return values | _dynamics(chain, polymer, generated, n_dynamics, seed) | cost


def _dynamics(
    chain: ReferenceChain, polymer: Polymer, generated: Frames, n: int, seed: int
) -> dict[str, float]:
    """Metrics that need GAFF2."""
    from polymd.datasets.polybench.system import gaff2_energy, gaff2_system
    from polymd.units import EV_KJ_MOL

    try:
        energies = gaff2_energy(polymer, generated, charges=chain.charges)
        system = gaff2_system(polymer, charges=chain.charges)
    except AmberToolsError:
        return {"energy_above_nvt": float("nan"), "starts_nvt": float("nan")}
    above = (float(energies.mean()) - float(chain.energies.mean())) / polymer.n_atoms
    runs = [float(starts_dynamics(polymer, system, x, seed=seed)) for x in generated[:n]] or [float("nan")]
    return {"energy_above_nvt": above * EV_KJ_MOL / 4.184, "starts_nvt": float(np.mean(runs))}


def evaluate_chains(
    chains: Iterable[ReferenceChain],
    methods: Sequence[str],
    *,
    libraries: Iterable[ReferenceChain] = (),
    n: int = 10,
    n_dynamics: int = 3,
    limit: float | None = None,
    seed: int = 0,
    watch: Watch = lambda _: None,
) -> dict[str, list[Row]]:
    """Rows a polymer of every method and of the floor, "md"; a method's failure is a row with "failure".

    `libraries` are what the oracle may cut its units from: chains of the same P-SMILES, but never the chain
    itself. For `limit` see `baselines.generate`.
    """
    known: dict[str, list[ReferenceChain]] = {}
    for other in libraries:
        known.setdefault(other.psmiles, []).append(other)
    rows: dict[str, list[Row]] = {"md": [], **{method: [] for method in methods}}
    for chain in chains:
        label: Row = {"psmiles": chain.psmiles, "n_atoms": chain.positions.shape[1]}
        watch(f"{chain.psmiles}: md")
        rows["md"].append(label | floor(chain, n))
        library = [other for other in known.get(chain.psmiles, []) if not _same(other, chain)]
        for method in methods:
            watch(f"{chain.psmiles}: {method}")
            try:
                values = evaluate_method(
                    chain, method, n, n_dynamics=n_dynamics, seed=seed, library=library, limit=limit
                )
                rows[method].append(label | values)
            except ConformationError as error:
                rows[method].append(label | {"failure": str(error)})
    return rows


def _same(one: ReferenceChain, other: ReferenceChain) -> bool:
    return (one.kind, one.seed, one.n_units) == (other.kind, other.seed, other.n_units)


def summarise(rows: Sequence[Row]) -> dict[str, float]:
    """Means over rows, medians of S-MAT and E-MAT (`..._median`), how many rows, and failures.

    Rows where a metric is NaN are left out of its mean.
    """
    sound = [row for row in rows if "failure" not in row]
    found: dict[str, float] = {"chains": len(rows), "failures": len(rows) - len(sound)}
    for key in METRICS:
        values = np.array([row[key] for row in sound if key in row], dtype=np.float64)
        values = values[np.isfinite(values)]
        if len(values):
            found[key] = float(values.mean())
            if "mat" in key:
                found[f"{key}_median"] = float(np.median(values))
    return found

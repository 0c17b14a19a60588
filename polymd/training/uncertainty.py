"""Calibration of a committee on families that no model was trained on.

    minimise over a, b, c    sum_i [ ln sigma_i^2 + e_i^2 / sigma_i^2 ],    sigma_i = b (a^2 + s_i^2)^(c/2),

up to a factor and a constant the negative log-likelihood of force errors of length e_i with three Gaussian
components of variance sigma_i^2 / 3 each. s_i is the committee's disagreement on atom i
(`polymd.potentials.committee`). Half of the families, drawn at random, gives a, b and c; the figures of
`uncertainty_errors` are of the other half.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule, read_attributes, read_frames
from polymd.potentials import registry
from polymd.potentials.committee import (
    Calibration,
    Committee,
    find_members,
    load_committee,
    read_committee,
    write_committee,
)
from polymd.potentials.polyget.storage import checksum
from polymd.training.families import family, family_key, split_by_family
from polymd.training.potential_errors import rounded
from polymd.training.uncertainty_errors import AtomErrors, atom_errors, uncertainty_errors

Molecules = Sequence[LabelledMolecule]
Watch = Callable[[Molecules], Iterable[LabelledMolecule]]
"""Shows progress over molecules."""
UNCALIBRATED = Calibration(0.0, 1.0, 1.0)


def calibrate(data: Path, model: str = "polyget", *, watch: Watch = iter) -> dict[str, Any]:
    """Calibrate the committee whose members lie beside a model and write `<model>.committee.json`.

    Parameters
    ----------
    data
        Labelled frames of families that neither the model nor a member was trained on, or the YAML file of
        a training, whose validation families are taken.
    model
        A model with at least three members beside it, see `polymd.potentials.committee.find_members`.

    Returns
    -------
    dict
        The file's content: members, calibration, data, families, results.

    Raises
    ------
    ValueError
        Too few members or families, members that do not know the model's elements, periodic frames.
    """
    members = find_members(model)
    for path in members:
        registry.check_elements(registry.elements(model), str(path))
    engine = registry.load_engine(model)
    committee = Committee([registry.load_engine(str(path)) for path in members], UNCALIBRATED)
    fitted, tested = halves(unseen_molecules(data))
    calibration = fit_calibration(atom_errors(engine, committee, watch(fitted)))
    results = uncertainty_errors(atom_errors(engine, committee, watch(tested)), calibration)
    facts = {
        "data": [_provenance(path) for path in _files(data)],
        "families": {
            "calibrated": sorted({family(m) for m in fitted}),
            "tested": sorted({family(m) for m in tested}),
        },
        "results": rounded(results, 4),
    }
    write_committee(model, members, calibration, facts)
    return read_committee(model)


def evaluate_committee(
    molecules: Molecules, model: str = "polyget", *, watch: Watch = iter
) -> dict[str, Any]:
    """Figures of `uncertainty_errors` for a model's committee on labelled frames.

    Families that it was calibrated on are left out and counted. Raises ValueError when nothing is left, and
    for a model without committee.
    """
    used = {family_key(name) for name in read_committee(model)["families"]["calibrated"]}
    unseen = [m for m in molecules if family_key(family(m)) not in used]
    if not unseen:
        raise ValueError("the committee was calibrated on all of these families; give frames of others")
    left_out = len({family(m) for m in molecules}) - len({family(m) for m in unseen})
    committee = load_committee(model)
    errors = atom_errors(registry.load_engine(model), committee, watch(unseen))
    results = uncertainty_errors(errors, committee.calibration)
    return {"families": len({family(m) for m in unseen}), "families_left_out": left_out} | results


def fit_calibration(errors: AtomErrors) -> Calibration:
    """Calibration of maximum likelihood, as above."""
    from scipy.optimize import minimize

    s2, e2 = errors.disagreement**2, errors.error**2

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Of log a, log b and c, with its gradient."""
        a2, c = np.exp(2.0 * x[0]), x[2]
        logarithm = np.log(a2 + s2)
        ratio = e2 * np.exp(-2.0 * x[1] - c * logarithm)
        slope = 1.0 - ratio  # by the logarithm of the variance
        gradient = [
            2.0 * a2 * c * np.mean(slope / (a2 + s2)),
            2.0 * np.mean(slope),
            np.mean(slope * logarithm),
        ]
        return float(2.0 * x[1] + np.mean(c * logarithm + ratio)), np.array(gradient)

    spread = max(float(np.mean(s2)), 1e-8)
    start = 0.5 * np.log([0.1 * spread, float(np.mean(e2)) / (1.1 * spread), np.e**2])
    bounds = [(np.log(1e-4), 2.0), (-8.0, 8.0), (0.1, 2.0)]
    a, b, c = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(np.exp(a)), float(np.exp(b)), float(c))


def halves(molecules: Molecules) -> tuple[list[LabelledMolecule], list[LabelledMolecule]]:
    """Molecules of one half of the families and of the other, drawn at random; twins stay together."""
    keys = sorted({family_key(family(m)) for m in molecules})
    if len(keys) < 2:
        raise ValueError(f"calibration needs frames of two families at least, here are {len(keys)}; add some")
    order = np.random.default_rng(0).permutation(len(keys))
    first = {keys[n] for n in order[: len(keys) // 2]}
    one = [m for m in molecules if family_key(family(m)) in first]
    return one, [m for m in molecules if family_key(family(m)) not in first]


def unseen_molecules(data: Path) -> list[LabelledMolecule]:
    """Molecules of a file of frames, or the validation molecules of a training's YAML file."""
    if data.suffix.lower() not in (".yaml", ".yml"):
        return read_frames(data)
    from polymd.training.potential_config import read_config

    config = read_config(data)
    molecules = [molecule for path in config.data for molecule in read_frames(path)]
    validation = split_by_family(
        molecules,
        config.validation_families,
        config.validation_fraction,
        config.seed,
        config.excluded_families,
    )[1]
    if not validation:
        raise ValueError(f"{str(data)!r} keeps no families for validation; add validation_families")
    return validation


def _files(data: Path) -> list[Path]:
    """Files of frames behind a file of frames or a training's YAML file."""
    from polymd.training.potential_config import read_config

    return list(read_config(data).data) if data.suffix.lower() in (".yaml", ".yml") else [data]


def _provenance(path: Path) -> dict[str, str]:
    theory = read_attributes(path).get("level_of_theory", "not stated")
    return {"file": path.name, "sha256": checksum(path), "level_of_theory": theory}

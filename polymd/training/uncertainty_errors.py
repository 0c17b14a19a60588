"""How well a committee's uncertainty describes the errors of a potential's forces.

All figures are of atoms, whose error e is the length of the force error vector and sigma its expected size,
`forces_std`; both in eV/Å.

calibration curve        atoms in bins of equal number by sigma: root mean square of sigma and of e in each
calibration error        mean over bins of |rms e - rms sigma| / rms sigma: the expected normalised
                         calibration error of D. Levi et al., Sensors 22, 5540 (2022)
coverage                 part of the atoms whose error lies in the ball that a Gaussian of this sigma fills
                         with probability p, (e / sigma)^2 <= q / 3, q the quantile p of chi^2 with 3 degrees
miscalibration area      mean of |coverage - p| over p between 0 and 1
rank correlation         Spearman's, of sigma and e; for frames, of the largest sigma and the largest e
largest forces_std       quantiles over frames of the largest sigma, to choose a limit by
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule
from polymd.datasets.side_by_side import side_by_side
from polymd.potentials.committee import Calibration, Committee

if TYPE_CHECKING:
    from polymd.potentials.polyget.engine import Engine

ATOMS_AT_ONCE = 2000
BINS = 15
NOMINAL = (0.50, 0.68, 0.90, 0.95)
Float = NDArray[np.float64]


@dataclass(frozen=True)
class AtomErrors:
    """Disagreement s (A,) and length of the force error (A,) of the atoms of all frames, eV/Å; the frame of
    each atom (A,), and the temperature (A,) in K.
    """

    disagreement: Float
    error: Float
    frame: NDArray[np.int64]
    temperature: Float

    def where(self, chosen: NDArray[np.bool_]) -> "AtomErrors":
        """Those of some atoms."""
        return AtomErrors(
            self.disagreement[chosen], self.error[chosen], self.frame[chosen], self.temperature[chosen]
        )


def atom_errors(engine: "Engine", committee: Committee, molecules: Iterable[LabelledMolecule]) -> AtomErrors:
    """Errors of an engine's forces and the committee's disagreement with them, on labelled frames in vacuum.

    Raises ValueError for periodic frames or none at all.
    """
    parts: list[AtomErrors] = []
    frames = 0
    for molecule in molecules:
        if molecule.cells is not None:
            raise ValueError(f"molecule {molecule.id!r} is periodic; committees are tested in vacuum")
        count = max(1, ATOMS_AT_ONCE // len(molecule.numbers))
        for first in range(0, len(molecule.positions), count):
            part = slice(first, first + count)
            parts.append(_errors(engine, committee, molecule, part, frames + first))
        frames += len(molecule.positions)
    if not parts:
        raise ValueError("there are no frames to test a committee on")
    return AtomErrors(
        np.concatenate([part.disagreement for part in parts]),
        np.concatenate([part.error for part in parts]),
        np.concatenate([part.frame for part in parts]),
        np.concatenate([part.temperature for part in parts]),
    )


def _errors(
    engine: "Engine", committee: Committee, molecule: LabelledMolecule, part: slice, first: int
) -> AtomErrors:
    from polymd.potentials.half_list import pair_forces

    positions, n_atoms = molecule.positions[part], len(molecule.numbers)
    pieces = [(molecule.numbers, x) for x in positions]

    def forces_of(one: "Engine") -> Float:
        numbers, pairs, vectors, _ = side_by_side(pieces, one.cutoff)
        return np.asarray(pair_forces(len(numbers), pairs, one.compute(numbers, pairs, vectors).gradient))

    forces = forces_of(engine)
    numbers, pairs, vectors, _ = side_by_side(pieces, committee.cutoff)
    wanted = molecule.forces[part].reshape(-1, 3).astype(np.float64)
    return AtomErrors(
        committee.disagreement(numbers, pairs, vectors, forces),
        np.linalg.norm(forces - wanted, axis=1),
        first + np.repeat(np.arange(len(positions)), n_atoms),
        np.repeat(molecule.temperatures[part], n_atoms),
    )


def uncertainty_errors(errors: AtomErrors, calibration: Calibration) -> dict[str, Any]:
    """The figures above, of all frames and by temperature."""
    kelvin = [t for t in np.unique(errors.temperature) if np.isfinite(t)]
    by_temperature = {
        f"{t:.0f} K": _summary(errors.where(errors.temperature == t), calibration) for t in kelvin
    }
    return _summary(errors, calibration) | {"by_temperature": by_temperature}


def _summary(errors: AtomErrors, calibration: Calibration) -> dict[str, Any]:
    sigma, error = calibration(errors.disagreement), errors.error
    curve = _curve(sigma, error)
    worst = _largest(errors.frame, sigma, error)
    levels = np.linspace(0.01, 0.99, 99)
    return {
        "atoms": len(error),
        "frames": len(np.unique(errors.frame)),
        "rms_error": _rms(error),
        "rms_forces_std": _rms(sigma),
        "rank_correlation": _spearman(sigma, error),
        "frame_rank_correlation": _spearman(*worst),
        "largest_forces_std": {f"{q}%": float(np.percentile(worst[0], q)) for q in (50, 90, 99)},
        "coverage": {f"{p:.0%}": coverage(sigma, error, p) for p in NOMINAL},
        "miscalibration_area": float(np.mean([abs(coverage(sigma, error, p) - p) for p in levels])),
        "calibration_error": float(np.mean([abs(b["rms_error"] / b["forces_std"] - 1.0) for b in curve])),
        "curve": curve,
    }


def coverage(sigma: Float, error: Float, probability: float) -> float:
    """Part of the atoms within the ball of a probability."""
    from scipy.stats import chi2

    return float(np.mean(3.0 * (error / sigma) ** 2 <= chi2.ppf(probability, 3)))


def _curve(sigma: Float, error: Float) -> list[dict[str, Any]]:
    order = np.argsort(sigma, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    return [
        {"forces_std": _rms(sigma[part]), "rms_error": _rms(error[part]), "atoms": len(part)} for part in bins
    ]


def _rms(values: Float) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _spearman(a: Float, b: Float) -> float | None:
    """Spearman's rank correlation, None where one side is constant."""
    from scipy.stats import spearmanr

    if len(a) < 2 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return None
    return float(spearmanr(a, b).statistic)


def _largest(frame: NDArray[np.int64], sigma: Float, error: Float) -> tuple[Float, Float]:
    """Largest sigma and error of each frame."""
    _, index = np.unique(frame, return_inverse=True)
    largest = np.zeros((2, int(index.max()) + 1))
    np.maximum.at(largest[0], index, sigma)
    np.maximum.at(largest[1], index, error)
    return largest[0], largest[1]

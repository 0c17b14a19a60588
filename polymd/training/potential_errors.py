"""Errors of a potential on labelled frames: forces by element, family and kind, energies after a shift a
molecule.

force MAE, RMSE       over components, eV/Å
cosine distance       mean over atoms of 1 - F . F* / |F| |F*|, atoms with |F*| above 0.01 eV/Å
energy MAE per atom   mean over frames of |E - E* - shift| / N, the shift being the molecule's mean difference
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule

if TYPE_CHECKING:
    from polymd.potentials.polyget.engine import Engine

SMALL_FORCE = 0.01
ATOMS_AT_ONCE = 2000

Predict = Callable[[LabelledMolecule], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Energies (F,) eV and forces (F, N, 3) eV/Å of a molecule's frames."""


def polyget_predictor(model: str) -> Predict:
    """Predictions of a PolyGET model by its fast engine. Raises ValueError for an unknown model and, when
    called, for unknown elements.
    """
    from polymd.potentials import registry

    predict = engine_predictor(registry.load_engine(model))

    def checked(molecule: LabelledMolecule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        registry.check_elements(molecule.numbers, model)
        return _periodic(molecule, model) if molecule.cells is not None else predict(molecule)

    return checked


def engine_predictor(engine: "Engine") -> Predict:
    """Predictions for molecules in vacuum, as many frames at once as make some thousand atoms."""

    def predict(molecule: LabelledMolecule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        count = max(1, ATOMS_AT_ONCE // len(molecule.numbers))
        starts = range(0, len(molecule.positions), count)
        parts = [_vacuum(engine, molecule.numbers, molecule.positions[n : n + count]) for n in starts]
        return np.concatenate([e for e, _ in parts]), np.concatenate([f for _, f in parts])

    return predict


def frame_energies(
    engine: "Engine", numbers: NDArray[np.int64], positions: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Energies (F,) eV of frames (F, N, 3) of one molecule in vacuum."""
    return _vacuum(engine, numbers, positions)[0]


def _vacuum(
    engine: "Engine", numbers: NDArray[np.int64], positions: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies (F,) and forces (F, N, 3) of F frames laid side by side as one system without contacts."""
    from polymd.potentials.half_list import molecule_pairs, pair_forces

    n_frames, n_atoms = positions.shape[:2]
    flat = np.ascontiguousarray(positions.reshape(-1, 3), dtype=np.float32)
    pairs = molecule_pairs(flat, np.arange(n_frames + 1) * n_atoms, engine.cutoff)
    result = engine.compute(np.tile(numbers, n_frames), pairs, flat[pairs[:, 1]] - flat[pairs[:, 0]])
    forces = pair_forces(len(flat), pairs, result.gradient)
    return result.energies.reshape(n_frames, n_atoms).sum(axis=1), forces.reshape(positions.shape)


def _periodic(molecule: LabelledMolecule, model: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from polymd.potentials.backends import make_backend

    backend, everywhere = make_backend(molecule.numbers, model, "auto"), np.full(3, True)
    assert molecule.cells is not None
    results = [
        backend.evaluate(positions.astype(np.float64), cell, everywhere)
        for positions, cell in zip(molecule.positions, molecule.cells, strict=True)
    ]
    return np.array([r.energy for r in results]), np.array([r.forces for r in results])


def potential_errors(predict: Predict, molecules: Iterable[LabelledMolecule]) -> dict[str, Any]:
    """Overall errors and those by element, family (P-SMILES) and kind."""
    rows = [row for molecule in molecules for row in _frame_rows(predict, molecule)]
    if not rows:
        raise ValueError("there are no frames to evaluate")
    from ase.data import chemical_symbols

    numbers = np.concatenate([row["numbers"] for row in rows])
    errors = np.concatenate([row["errors"] for row in rows])
    by_element = {chemical_symbols[z]: float(np.abs(errors[numbers == z]).mean()) for z in np.unique(numbers)}
    return {
        **_summary(rows),
        "by_element": by_element,
        "by_family": _by(rows, "psmiles"),
        "by_kind": _by(rows, "kind"),
        "by_temperature": _by(rows, "temperature"),
    }


def _frame_rows(predict: Predict, molecule: LabelledMolecule) -> Iterator[dict[str, Any]]:
    energies, forces = predict(molecule)
    shift = energies - molecule.energies
    shift = np.abs(shift - shift.mean()) / len(molecule.numbers)
    for frame in range(len(energies)):
        wanted, got = molecule.forces[frame].astype(np.float64), forces[frame]
        length = np.linalg.norm(wanted, axis=1)
        moved = length > SMALL_FORCE
        cosine = (wanted * got).sum(axis=1)[moved] / (length * np.linalg.norm(got, axis=1))[moved]
        yield {
            "numbers": molecule.numbers,
            "errors": got - wanted,
            "cosine": 1.0 - cosine,
            "energy": shift[frame] if len(energies) > 1 else np.nan,
            "psmiles": molecule.psmiles or molecule.id,
            "kind": molecule.kind or "unknown",
            "temperature": _kelvin(molecule.temperatures[frame]),
        }


def _kelvin(temperature: float) -> str:
    return "unknown" if np.isnan(temperature) else f"{temperature:.0f} K"


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = np.concatenate([row["errors"] for row in rows])
    energy = np.array([row["energy"] for row in rows])
    cosine = np.concatenate([row["cosine"] for row in rows])
    return {
        "frames": len(rows),
        "atoms": len(errors),
        "force_mae": float(np.abs(errors).mean()),
        "force_rmse": float(np.sqrt((errors**2).mean())),
        "cosine_distance": float(cosine.mean()) if len(cosine) else None,
        "energy_mae_per_atom": None if np.isnan(energy).all() else float(np.nanmean(energy)),
    }


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return {name: _summary(group) for name, group in sorted(groups.items())}


def rounded(value: Any, digits: int) -> Any:
    """Floats with so many significant digits, through lists and dictionaries."""
    if isinstance(value, dict):
        return {k: rounded(v, digits) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v, digits) for v in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value

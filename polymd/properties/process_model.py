"""Fitted Gaussian processes of many properties, ready to predict new polymers.

A model holds fingerprints (hashed counts) of the training polymers, once for all properties, and of every
property which of them it was trained on, its kernel weights, its coefficients and its calibration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.estimates import Estimates
from polymd.properties.features import DENSE, DenseScale, Features, Scaling
from polymd.properties.gaussian_process import covariances, deviation, factorise, needed
from polymd.properties.kernels import CountMatrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float64]

__all__ = ["Process", "ProcessModel"]

_CHUNK = 500  # polymers predicted at a time
_BLOCK = 512  # rows of a covariance computed at a time


@dataclass(frozen=True)
class Process:
    """The process of one property."""

    rows: NDArray[np.int64]  #: (T,), its training set in the table of features
    scaling: Scaling
    logarithms: Floats  #: (N_KERNELS + 1,), of kernel weights and noise
    coefficients: Floats  #: (T,)
    card: dict[str, Any]  #: unit, mean, scale, logarithmic, calibration, least_similarity, elements, ...


@dataclass
class ProcessModel:
    """Gaussian processes on one table of fingerprints."""

    features: Features
    processes: dict[str, Process]
    _factors: dict[str, Floats] = field(default_factory=dict)

    def cards(self) -> dict[str, dict[str, Any]]:
        """What is known of every property's model."""
        return {name: process.card for name, process in self.processes.items()}

    def predict(self, names: Iterable[str], fingerprints: Sequence[Fingerprint]) -> dict[str, Estimates]:
        """Calibrated estimates of properties of this model for N polymers."""
        wanted = list(names)
        self.prepare(wanted)
        starts = range(0, len(fingerprints), _CHUNK)
        chunks = [self._chunk(wanted, fingerprints[start : start + _CHUNK]) for start in starts]
        return {name: Estimates.joined([chunk[name] for chunk in chunks]) for name in wanted}

    def prepare(self, names: Iterable[str]) -> None:
        """Factorise the training sets of properties, which the first prediction of each does otherwise."""
        for alike in self._alike(name for name in names if name not in self._factors):
            self._factorise(alike)

    def _alike(self, names: Iterable[str]) -> list[list[str]]:
        """Properties by their training set: those of one share its kernels, which take longest to compute."""
        groups: dict[bytes, list[str]] = {}
        for name in names:
            groups.setdefault(self.processes[name].rows.tobytes(), []).append(name)
        return list(groups.values())

    def _chunk(self, names: list[str], fingerprints: Sequence[Fingerprint]) -> dict[str, Estimates]:
        """Estimates of some properties for some polymers."""
        polymers = Features.of(fingerprints, self.features)
        known = len(self.features.codes)
        intensive, extensive = self.features.intensive(polymers), self.features.extensive(polymers)
        bonds, own_bonds = self.features.bonds(known), polymers.bonds(known)
        found = {}
        for alike in self._alike(names):
            logarithms = [self.processes[name].logarithms for name in alike]
            at, scaling = self.processes[alike[0]].rows, self.processes[alike[0]].scaling
            parts = scaling.parts(
                needed(*logarithms),
                intensive[at],
                extensive[at],
                (bonds[at], own_bonds),
                (self.features.rows(at).dense, polymers.dense),
            )
            own, nearest = scaling.own(own_bonds), intensive[at].max(axis=0)
            for name, cross in zip(alike, covariances(logarithms, parts), strict=True):
                process, card = self.processes[name], self.processes[name].card
                spread = deviation(process.logarithms, self._factors[name], cross, own)
                familiar = np.array([f.elements <= set(card["elements"]) for f in fingerprints])
                found[name] = Estimates(
                    card["mean"] + card["scale"] * (cross.T @ process.coefficients),
                    card["scale"] * card["calibration"] * spread,
                    (nearest >= card["least_similarity"]) & familiar,
                    bool(card["logarithmic"]),
                )
        return found

    def _factorise(self, alike: list[str]) -> None:
        """Factors of the training covariances of properties with one training set, made in blocks."""
        logarithms = [self.processes[name].logarithms for name in alike]
        wanted = needed(*logarithms)
        rows, scaling = self.processes[alike[0]].rows, self.processes[alike[0]].scaling
        table, none = self.features.rows(rows), np.empty((0, 0))
        bonds, dense = table.bonds(len(table.codes)), table.dense
        intensive = table.intensive() if wanted[0] or wanted[1] else none
        extensive = table.extensive() if wanted[2] else none
        inner = [np.zeros((len(table), len(table))) for _ in alike]
        for start in range(0, len(table), _BLOCK):
            block, before = slice(start, start + _BLOCK), slice(0, start + _BLOCK)
            parts = scaling.parts(
                wanted,
                intensive[block, before],
                extensive[block, before],
                (bonds[block], bonds[before]),
                ([part[block] for part in dense], [part[before] for part in dense]),
            )
            for own, found in zip(inner, covariances(logarithms, parts), strict=True):
                own[block, before] = found
        for name, own in zip(alike, inner, strict=True):
            self._factors[name] = factorise(self.processes[name].logarithms, own)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All arrays, by names that `of_tensors` knows."""
        table = self.features
        tensors: dict[str, NDArray[Any]] = {
            "codes": table.codes,
            "starts": table.counts.starts.astype(np.int32),
            "columns": _smallest(table.counts.columns),
            "counts": _smallest(table.counts.counts.astype(np.int64)),
            "atoms": table.atoms.astype(np.int32),
        }
        tensors |= dict(zip(DENSE, table.dense, strict=True))
        for name, process in self.processes.items():
            tensors[f"{name}.rows"] = process.rows.astype(np.int32)
            tensors[f"{name}.logarithms"] = process.logarithms
            tensors[f"{name}.coefficients"] = process.coefficients
            scaling = process.scaling
            tensors[f"{name}.bond_means"] = scaling.bond_means
            tensors[f"{name}.bond_spreads"] = scaling.bond_spreads
            for group, scale in zip(DENSE, scaling.dense, strict=True):
                tensors[f"{name}.{group}_spreads"] = scale.spreads
                tensors[f"{name}.{group}_length"] = np.array(scale.length)
        return tensors

    @classmethod
    def of_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], cards: Mapping[str, dict[str, Any]]
    ) -> ProcessModel:
        """The model of arrays and cards."""
        counts = CountMatrix(
            tensors["starts"].astype(np.int64),
            tensors["columns"].astype(np.int64),
            tensors["counts"].astype(np.float64),
        )
        dense = tuple(tensors[part] for part in DENSE)
        table = Features(tensors["codes"], counts, tensors["atoms"].astype(np.float64), dense)
        return cls(table, {name: _process(name, card, tensors) for name, card in cards.items()})


def _process(name: str, card: dict[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Process:
    """One property out of the tensors of a file."""
    dense = tuple(
        DenseScale(tensors[f"{name}.{part}_spreads"], float(tensors[f"{name}.{part}_length"].item()))
        for part in DENSE
    )
    return Process(
        rows=tensors[f"{name}.rows"].astype(np.int64),
        scaling=Scaling(tensors[f"{name}.bond_means"], tensors[f"{name}.bond_spreads"], dense),
        logarithms=tensors[f"{name}.logarithms"],
        coefficients=tensors[f"{name}.coefficients"],
        card=card,
    )


def _smallest(values: NDArray[np.int64]) -> NDArray[Any]:
    """In the smallest unsigned type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))

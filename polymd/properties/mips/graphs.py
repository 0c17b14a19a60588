"""Infinite chains as tensors: atoms of one unit, and how many images of each other atom lie how far.

The induced star-linking graph of MIPS is the infinite chain itself here, seen from one unit: an atom of the
unit attends to every atom within a few bonds of it, those of neighbouring units included. Images of one atom
differ in nothing but their distance, so that counts of images by distance say all (`model.py`). Counts are
integers: a longer unit or another cut of the chain has the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from polymd.properties.chain_graph import ATOM_FIELDS, ChainGraph, chain_graph
from polymd.repeats import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ATOM_SIZES", "EXTRAS", "Batch", "ChainTensors", "n_categories"]

_ELEMENTS = (0, 5, 6, 7, 8, 9, 14, 15, 16, 17, 32, 34, 35, 50, 53)  # 0: a star that was kept
_ORDERS = (2, 3, 4, 6)
#: what a network can be told of a polymer beside its graph; see `Batch`
EXTRAS = ("descriptors", "physics", "shape")
#: number of values of each column of `ChainTensors.atoms`; the last one of each stands for all others
ATOM_SIZES = dict(zip(ATOM_FIELDS, (len(_ELEMENTS) + 1, 5, 4, 2, 9, 6, 7), strict=True))


@dataclass(frozen=True)
class ChainTensors:
    """One unit of A atoms."""

    atoms: NDArray[np.int64]  #: (A, 7), columns `ATOM_FIELDS` as categories
    backbone: NDArray[np.bool_]  #: (A,)
    images: NDArray[np.int16]  #: (P, 4): atom i, atom j, category, number of images of j around i in it

    @classmethod
    def read(cls, psmiles: str, threshold: int) -> ChainTensors:
        """The smallest repeat of a P-SMILES; raises PSmilesError as `polymd.psmiles.parse`."""
        return cls.of(chain_graph(shortened(psmiles)), threshold)

    @classmethod
    def of(cls, graph: ChainGraph, threshold: int) -> ChainTensors:
        """The categories: the atom itself; bonds by their order; distances of 2 to `threshold` bonds."""
        pairs = graph.pairs(threshold)
        far = pairs[pairs[:, 3] > 1]
        size, categories = len(graph.atoms), n_categories(threshold)
        own = np.arange(size) * (size + 1) * categories
        bonds = (graph.edges @ (size, 1)) * categories + 1 + np.searchsorted(_ORDERS, graph.orders)
        distant = (far[:, :2] @ (size, 1)) * categories + far[:, 3] + len(_ORDERS) - 1
        places, counts = np.unique(np.concatenate([own, bonds, distant]), return_counts=True)
        both, category = np.divmod(places, categories)
        images = np.stack([*np.divmod(both, size), category, counts], axis=1).astype(np.int16)
        return cls(_categories(graph.atoms), graph.backbone, images)

    def __len__(self) -> int:
        return len(self.atoms)


@dataclass(frozen=True)
class Batch:
    """B units, filled up to N atoms, with what else is known of them."""

    atoms: Tensor  #: (B, N, 7) int64
    backbone: Tensor  #: (B, N) int64
    real: Tensor  #: (B, N) bool, not filling
    images: Tensor  #: (B, N, N, C) float
    descriptors: Tensor | None = None  #: (B, D), nan where unknown or hidden
    physics: Tensor | None = None  #: (B, 28) `Fingerprint.physics`, nan where hidden
    shape: Tensor | None = None  #: (B, S) 3D descriptors, nan where unknown or hidden

    @classmethod
    def of(
        cls,
        chains: Sequence[ChainTensors],
        threshold: int,
        extras: Mapping[str, NDArray[np.floating[Any]]] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """Put units side by side; `extras` of `EXTRAS`, one row a unit."""
        size = max(map(len, chains))
        atoms = np.zeros((len(chains), size, len(ATOM_FIELDS)), dtype=np.int64)
        backbone = np.zeros((len(chains), size), dtype=np.int64)
        real = np.zeros((len(chains), size), dtype=np.bool_)
        images = np.zeros((len(chains), size, size, n_categories(threshold)), dtype=np.float32)
        images[:, np.arange(size), np.arange(size), 0] = 1  # fillings see themselves
        for b, chain in enumerate(chains):
            n = len(chain)
            atoms[b, :n], backbone[b, :n], real[b, :n] = chain.atoms, chain.backbone, True
            i, j, category, count = chain.images.T
            images[b, i, j, category] = count
        more = {name: torch.from_numpy(values).to(dtype) for name, values in (extras or {}).items()}
        return cls(
            torch.from_numpy(atoms),
            torch.from_numpy(backbone),
            torch.from_numpy(real),
            torch.from_numpy(images).to(dtype),
            **more,
        )

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        parts: dict[str, Tensor] = {f.name: getattr(self, f.name) for f in fields(self)}
        return Batch(**{name: part.to(device) for name, part in parts.items() if part is not None})


def n_categories(threshold: int) -> int:
    """Number of categories of images with a distance threshold in bonds, at least 1."""
    return 1 + len(_ORDERS) + threshold - 1


def _categories(atoms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Columns of a chain graph as small integers; what is rare or unknown is the last of each."""
    number = np.searchsorted(_ELEMENTS, atoms[:, 0])
    known = np.isin(atoms[:, 0], _ELEMENTS)
    columns = [np.where(known, number, len(_ELEMENTS)), *atoms[:, 1:].T]
    columns[2] = columns[2] + 1  # charge -1, 0, 1, others
    columns[2] = np.where((columns[2] < 0) | (columns[2] > 2), 3, columns[2])
    last = np.array(list(ATOM_SIZES.values())) - 1
    found: NDArray[np.int64] = np.clip(np.stack(columns, axis=1), 0, last)
    return found

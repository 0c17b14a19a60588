"""Reference conformations in HDF5: one group a chain."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.polybench.gaff2 import Charges
from polymd.stereo import Tacticity

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["ReferenceChain", "merge", "read_chains", "write_chains"]

LEVEL = "GAFF2, one chain in vacuum, all pairs (dynamics of long ones: cutoff of 12 Å)"
SAMPLER = (
    "LangevinMiddle 4 fs, 5/ps, hydrogens of 3 amu; minimised, annealed from 600 to 300 K, sampled at 300 K"
)


@dataclass(frozen=True)
class ReferenceChain:
    """Frames of one chain, a definite stereoisomer.

    Attributes
    ----------
    positions
        (F, N, 3) float32 Å, in the atom order of `polymer()`, centred.
    energies
        (F,) eV, GAFF2.
    start
        (F,) int16, from which independent start each frame is.
    split, kind
        "train", "validation" or "test"; "library" (short chains), "reference" (of some 320 atoms) or "long".
    """

    psmiles: str
    n_units: int
    tacticity: Tacticity
    seed: int
    split: str
    kind: str
    charges: Charges
    positions: NDArray[np.float32] = field(repr=False)
    energies: NDArray[np.float64] = field(repr=False)
    start: NDArray[np.int16] = field(repr=False)

    def polymer(self) -> Polymer:
        """The chain that `positions` belong to."""
        from polymd.polymer import Polymer

        return Polymer(self.psmiles, self.n_units, tacticity=self.tacticity, seed=self.seed)


_ATTRIBUTES = ("psmiles", "n_units", "tacticity", "seed", "split", "kind", "charges")


def write_chains(
    path: Path, chains: Iterable[ReferenceChain], *, decimals: int | None = None, **attributes: Any
) -> None:
    """Write chains to an HDF5 file, at once: a reader sees the old file or the whole new one.

    With `decimals`, positions are rounded to so many digits after the point of 1 Å, which makes the file
    smaller.
    """
    import h5py

    partial = path.with_suffix(".partial")
    with h5py.File(partial, "w", libver="latest") as file:
        file.attrs.update({"level_of_theory": LEVEL, "sampler": SAMPLER} | attributes)
        for number, chain in enumerate(chains):
            group = file.create_group(f"{number:05d}")
            group.attrs.update({name: getattr(chain, name) for name in _ATTRIBUTES})
            packing: dict[str, Any] = {"shuffle": True}
            if decimals is not None:  # numbers near the fill value would become that
                packing = {"scaleoffset": decimals, "fillvalue": np.nan}
            group.create_dataset("positions", data=chain.positions, compression="gzip", **packing)
            group.create_dataset("energies", data=chain.energies)
            group.create_dataset("start", data=chain.start)
    os.replace(partial, path)


def read_chains(path: Path, split: str | None = None, kind: str | None = None) -> Iterator[ReferenceChain]:
    """Chains of a file, of one split or kind where given.

    Raises
    ------
    ValueError
        No such file, or none of reference conformations.
    """
    import h5py

    if not path.is_file():
        raise ValueError(f"no file {path}; make it with: python -m polymd.datasets.polybench --out {path}")
    with h5py.File(path, "r") as file:
        for name, group in file.items():
            missing = set(_ATTRIBUTES) - set(group.attrs)
            if missing:
                raise ValueError(
                    f"{path}: group {name!r} lacks {sorted(missing)}; give a file of reference chains"
                )
            values = {key: _plain(group.attrs[key]) for key in _ATTRIBUTES}
            if split in (None, values["split"]) and kind in (None, values["kind"]):
                arrays = {key: group[key][()] for key in ("positions", "energies", "start")}
                yield ReferenceChain(**values, **arrays)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


def merge(parts: Path, out: Path, **attributes: Any) -> int:
    """Write all chains of the finished parts in a folder to one file; returns how many."""
    count = 0

    def chains() -> Iterator[ReferenceChain]:
        nonlocal count
        for path in sorted(parts.glob("*.h5")):
            for chain in read_chains(path):
                count += 1
                yield chain

    write_chains(out, chains(), **attributes)
    return count

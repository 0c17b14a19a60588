"""Which chains a training of conformations learns from, and which it keeps out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from polymd.training.conformation_data import ChainFrames, read_chains
from polymd.training.families import family_key

__all__ = ["Selection", "selected_chains"]


class Selection(Protocol):
    """Fields of a configuration that choose chains, explained by `conformation_config.ConformationConfig`."""

    @property
    def data(self) -> list[Path]: ...
    @property
    def excluded_families(self) -> list[str]: ...
    @property
    def unseen_families(self) -> list[str]: ...
    @property
    def validation_fraction(self) -> float: ...
    @property
    def labelled_chains(self) -> int: ...
    @property
    def seed(self) -> int: ...


def selected_chains(config: Selection) -> Iterator[tuple[ChainFrames, str, bool]]:
    """Chains with their family and whether they are kept for validation.

    Reference chains of the split "test" and excluded families are left out, and labelled frames of unseen
    families, in any spelling. Families of reference chains that are not of the split "train" count as unseen.

    Raises
    ------
    ValueError
        There is no such file.
    """
    excluded = {family_key(psmiles) for psmiles in config.excluded_families}
    unseen = {family_key(psmiles) for psmiles in config.unseen_families}
    rng = np.random.default_rng(config.seed)
    kept: dict[str, bool] = {}
    for path in config.data:
        if not path.is_file():
            raise ValueError(f"there is no file {str(path)!r} of chains; see docs/conformations.md")
        for frames in read_chains(path, config.labelled_chains):
            key = family_key(frames.polymer.psmiles)
            if key in excluded or (key in unseen and not frames.reference):
                continue
            if frames.split == "test":
                unseen.add(key)
                continue
            if frames.reference:
                kept[key] = frames.split == "validation"
                if kept[key]:
                    unseen.add(key)
            elif key not in kept:
                kept[key] = bool(rng.random() < config.validation_fraction)
            yield frames, key, kept[key]

"""Properties along a trajectory: units of every frame, as they are in the chain, in a network that sees 3D.

A frame's value is the mean over its inner units. Tables are of infinite chains, so that a series says how the
network's estimate depends on the geometry that the chain takes, not what a single chain would measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from polymd.observables.estimate import mean_with_error
from polymd.properties.networks.conformers import Conformers, unit_conformers
from polymd.properties.unit_frames import unit_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from mdtraj import Trajectory
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["TRAJECTORY_COLUMNS", "SpatialNetwork", "predict_along"]

TRAJECTORY_COLUMNS = (
    "psmiles", "property", "value", "error", "spread", "single_conformer", "uncertainty", "unit", "model",
    "frames", "units", "series",
)  # fmt: skip


@runtime_checkable
class SpatialNetwork(Protocol):
    """A trained network that can take positions of a unit."""

    @property
    def key(self) -> str:
        """Name on the command line and in files."""

    @property
    def sees_space(self) -> bool:
        """Whether positions change what it says."""

    def predict_placed(self, psmiles: str, conformers: Sequence[Conformers]) -> dict[str, Floats]:
        """Targets (F,) by property of one polymer in each of F sets of conformers."""


def predict_along(
    trajectory: Trajectory, network: SpatialNetwork, cards: dict[str, dict[str, Any]], names: Sequence[str]
) -> pd.DataFrame:
    """Properties along a trajectory, by a network that sees 3D.

    Parameters
    ----------
    trajectory
        As `unit_frames` reads it.
    network
        With two modalities or channels, or with 3D descriptors.
    cards
        Of the properties: `unit`, `logarithmic`, and the errors of the network on held-out folds.
    names
        Properties of the network.

    Returns
    -------
    pandas.DataFrame
        One row a property: `value`, the mean over frames; `error`, its standard error, corrected for
        correlation between frames; `spread`, the standard deviation over frames; `single_conformer`, the
        estimate from one ETKDG conformer of the same unit with substituted stars; `uncertainty`, the
        network's root mean square error on held-out polymers; `series` (F,), the value of every frame.

    Raises
    ------
    ValueError
        As `unit_frames`; a network that takes no positions.
    """
    import pandas as pd

    units = unit_frames(trajectory)
    frames = [Conformers.of(units.numbers, frame) for frame in units.positions]
    found = network.predict_placed(units.psmiles, frames)
    found_alone = network.predict_placed(units.psmiles, [unit_conformers(units.psmiles, n=1)])
    rows = []
    for name in names:
        back = np.exp if cards[name]["logarithmic"] else np.positive
        single, series = float(back(found_alone[name][0])), back(found[name])
        mean = mean_with_error(series)
        rows.append(
            (
                units.psmiles,
                name,
                mean.value,
                mean.error,
                float(series.std()),
                single,
                _held_out_error(cards[name], network.key),
                cards[name]["unit"],
                network.key,
                len(series),
                units.positions.shape[1],
                series,
            )
        )
    return pd.DataFrame(rows, columns=list(TRAJECTORY_COLUMNS))


def _held_out_error(card: dict[str, Any], key: str) -> float:
    """Root mean square error of the network on held-out polymers; nan where it is not known."""
    return float(card.get("blend", {}).get("errors", {}).get(key, {}).get("rmse", np.nan))

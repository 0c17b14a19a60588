"""A run folder as an object."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from polymd.trajectories import load_trajectory

if TYPE_CHECKING:
    import mdtraj
    import pandas

    from polymd.observables import Estimate


class Run:
    """A finished or stopped run.

    Parameters
    ----------
    path
        The run folder.

    Attributes
    ----------
    path
        The run folder.

    Raises
    ------
    ValueError
        When the folder holds no run.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not (self.path / "run.yaml").is_file():
            raise ValueError(f"{str(self.path)!r} is not a run folder: it has no run.yaml")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved config with command, versions and machine, from run.yaml."""
        data: dict[str, Any] = yaml.safe_load((self.path / "run.yaml").read_text())
        return data

    @property
    def trajectory(self) -> mdtraj.Trajectory:
        """The frames as an mdtraj trajectory (nm, ps), first frame at time 0."""
        trajectory = load_trajectory(self.path)
        trajectory.time = self.log["time_fs"].to_numpy()[: trajectory.n_frames] * 1e-3
        return trajectory

    @property
    def log(self) -> pandas.DataFrame:
        """The log: step, time (fs), energies (eV), temperature (K), density (g/cm³), speed (ns/day)."""
        import pandas

        return pandas.read_csv(self.path / "log.csv")

    @property
    def properties(self) -> dict[str, Any]:
        """What properties.json holds."""
        path = self.path / "properties.json"
        if not path.is_file():
            raise ValueError(f"{path} is missing: the run is not finished; go on with polymd run --resume")
        data: dict[str, Any] = json.loads(path.read_text())
        return data

    @property
    def observables(self) -> dict[str, Estimate]:
        """The scalar observables with standard error and unit."""
        from polymd.observables import Estimate

        return {
            name: Estimate.from_dict(entry)
            for name, entry in self.properties.items()
            if isinstance(entry, dict) and {"value", "error", "unit"} <= entry.keys()
        }

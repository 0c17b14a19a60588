"""What a report reads: the files of a run folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.trajectories import load_trajectory

if TYPE_CHECKING:
    from mdtraj import Trajectory
    from pandas import DataFrame


@dataclass(frozen=True)
class RunFolder:
    """The content of a finished run.

    Attributes
    ----------
    settings
        `run.yaml`, the resolved configuration with `command`, `versions`, `machine` and `psmiles`.
    trajectory
        `trajectory.dcd` on `topology.pdb`, F frames.
    frame_times
        `(F,)` fs.
    log
        `log.csv`, one row a report.
    properties
        `properties.json`, by the name of the observable.
    """

    settings: dict[str, Any]
    trajectory: "Trajectory"
    frame_times: NDArray[np.float64]
    log: "DataFrame"
    properties: dict[str, Any]


def read_run_folder(folder: Path) -> RunFolder:
    """Read the files of a run folder.

    Raises
    ------
    ValueError
        A file is missing, with its name.
    """
    import pandas
    import yaml

    names = ("run.yaml", "topology.pdb", "trajectory.dcd", "log.csv", "properties.json")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{folder} lacks {', '.join(missing)}; give the folder of a finished `polymd run`")
    trajectory = load_trajectory(folder)
    log = pandas.read_csv(folder / "log.csv")
    if not 0 < trajectory.n_frames <= len(log):
        raise ValueError(
            f"{folder} has {trajectory.n_frames} frames and {len(log)} rows in log.csv;"
            " each frame needs its row: finish the run with `polymd run --resume`"
        )
    return RunFolder(
        settings=yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8")),
        trajectory=trajectory,
        frame_times=log["time_fs"].to_numpy(np.float64)[: trajectory.n_frames],
        log=log,
        properties=json.loads((folder / "properties.json").read_text(encoding="utf-8")),
    )

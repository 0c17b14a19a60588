"""What all trainings do with their checkpoints: whether one fits, and what it holds."""

from typing import Any

import torch
from numpy.typing import NDArray

from polymd.training.config import TrainingConfig


def check_checkpoint(config: TrainingConfig, resume: bool) -> int:
    """Step of the checkpoint to resume from, 0 without one.

    Raises ValueError for a checkpoint in the way or missing, or one of a config that differs in more than
    the fields of `config.may_change`.
    """
    path = config.checkpoint
    if not resume:
        if path.exists():
            raise ValueError(f"{path} is there already; go on with --resume, or choose another out")
        return 0
    if not path.is_file():
        raise ValueError(f"there is no checkpoint {path} to go on from; start without --resume")
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    now, then = config.model_dump(), type(config)(**checkpoint["config"]).model_dump()
    for field in now.keys() - config.may_change:
        if now[field] != then[field]:
            raise ValueError(f"{path} was written with {field} {then[field]!r}, not {now[field]!r}")
    return int(checkpoint["global_step"])


def averaged_weights(checkpoint: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """The moving average of the weights, by name."""
    prefix, state = "average.", checkpoint["state_dict"]
    return {k.removeprefix(prefix): v.numpy() for k, v in state.items() if k.startswith(prefix)}


def minutes_spent(checkpoint: dict[str, Any]) -> float:
    """Minutes in training, over all restarts; kept by `callbacks.Budget`."""
    states = checkpoint["callbacks"].items()
    return float(next(state["seconds"] for name, state in states if name.startswith("Budget"))) / 60.0

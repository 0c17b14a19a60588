"""What trainings on chains share: the loop, and what a card says of it."""

import datetime
import warnings
from collections.abc import Sequence
from typing import Any, cast

from lightning import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset

from polymd.training.callbacks import Budget
from polymd.training.checkpoint import minutes_spent
from polymd.training.config import TrainingConfig

__all__ = ["card_of", "fit"]


def fit(
    module: LightningModule,
    config: TrainingConfig,
    stream: IterableDataset[Any],
    validation: Sequence[Any],
    *,
    resume: bool,
    clip: float,
    device: str = "cpu",
) -> None:
    """Train on endless batches until the budget is spent; `validation` batches may be none.

    `clip` is the largest norm of the gradient, `device` cpu or cuda.
    """
    trainer = Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        max_epochs=-1,
        val_check_interval=config.validate_every if validation else None,
        check_val_every_n_epoch=None,
        limit_val_batches=1.0 if validation else 0,
        num_sanity_val_steps=0,
        gradient_clip_val=clip,
        log_every_n_steps=50,
        logger=CSVLogger(config.out, name="log"),
        callbacks=[Budget(config)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(
            module,
            DataLoader(stream, batch_size=None),
            DataLoader(cast(Any, validation), batch_size=None) if validation else None,
            ckpt_path=config.checkpoint if resume else None,
            weights_only=True,
        )


def card_of(
    config: TrainingConfig,
    checkpoint: dict[str, Any],
    weights: dict[str, NDArray[Any]],
    *,
    chains: int,
    families: Sequence[str],
    errors: dict[str, Any],
) -> dict[str, Any]:
    """The card of weights out of a checkpoint."""
    from polymd.diagnostics import machine, versions
    from polymd.potentials.polyget.storage import checksum

    return {
        "name": config.name,
        "date": str(datetime.date.today()),
        "data": [{"file": path.name, "sha256": checksum(path)} for path in config.data],
        "training": {
            "chains": chains,
            "steps": int(checkpoint["global_step"]),
            "minutes": round(minutes_spent(checkpoint), 2),
            "parameters": sum(int(w.size) for w in weights.values()),
        },
        "validation_families": list(families),
        "errors": errors,
        "config": checkpoint["config"],
        "machine": machine(),
        "versions": {k: v for k, v in versions().items() if v is not None},
    }

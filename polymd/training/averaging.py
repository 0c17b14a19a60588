"""The steps of every training: SOAP, its rate over the budget, and the moving average of the weights."""

from copy import deepcopy
from typing import Any

import torch
from lightning.pytorch import LightningModule

from polymd.training.config import TrainingConfig
from polymd.training.soap import SOAP


class AveragedTraining(LightningModule):
    """A network in training and the moving average of its weights, which is validated and exported.

    The average starts as a running mean, so that early weights are forgotten:

        average <- d average + (1 - d) weights,   d = min(ema, s / (s + 10)) after step s = 1, 2, ...

    and the learning rate is peak * min(1, s / warm-up) * (1 - used part of the budget).
    """

    def __init__(self, network: torch.nn.Module, config: TrainingConfig) -> None:
        super().__init__()
        self.network: Any = network
        self.average: Any = deepcopy(network).requires_grad_(False)
        self.config: Any = config
        self.used = 0.0  # part of the budget, kept by `callbacks.Budget`

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return SOAP(self.network.parameters(), self.config.learning_rate, self.config.weight_decay)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        step = self.global_step + 1
        warm = min(1.0, step / max(1, self.config.warmup_steps))
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * warm * max(0.0, 1.0 - self.used)
        optimizer.step(closure=optimizer_closure)
        decay = min(self.config.ema, step / (step + 10.0))
        with torch.no_grad():
            for average, weight in zip(self.average.parameters(), self.network.parameters(), strict=True):
                average.lerp_(weight, 1.0 - decay)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"] = self.config.model_dump(mode="json")

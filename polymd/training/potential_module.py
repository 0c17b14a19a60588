"""Force matching as a LightningModule, and its frames as a LightningDataModule.

On a CPU the gradient comes from `force_matching.surrogate_loss` (first derivatives, Numba); on a GPU the
plain torch network is differentiated twice. Both minimise mean |F - F*|, plus an energy term on request.
"""

import logging
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule, LightningModule
from torch import Tensor
from torch.utils.data import DataLoader

from polymd.potentials.polyget import fused, storage
from polymd.potentials.polyget.model import Architecture, PolyGET
from polymd.training import force_matching
from polymd.training.batches import BatchStream, FrameTable, ValidationBatches
from polymd.training.force_matching import Batch, Graph
from polymd.training.potential_config import PotentialConfig
from polymd.training.soap import SOAP

# Every process imports this module: none of them is to announce devices and process groups.
for _name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ForceMatching(LightningModule):
    """The network in training and the moving average of its weights.

    The average starts as a running mean, so that early weights are forgotten:

        average <- d average + (1 - d) weights,   d = min(ema, s / (s + 10)) after step s = 1, 2, ...

    and the learning rate is peak * min(1, s / warm-up) * (1 - used part of the budget).
    """

    def __init__(self, architecture: Architecture, config: PotentialConfig) -> None:
        super().__init__()
        self.config = config
        self.architecture = architecture.to_dict() | {"elements": list(architecture.elements)}
        self.network = PolyGET(architecture)
        self.average: PolyGET = deepcopy(self.network).requires_grad_(False)
        self.used = 0.0  # part of the budget, kept by `callbacks.Budget`

    def training_step(self, batch: Batch | Graph, batch_idx: int) -> dict[str, Tensor]:
        energy_weight = self.config.energy_weight
        if isinstance(batch, Batch):
            step = self.global_step
            surrogate, loss = force_matching.surrogate_loss(self.network, batch, step, energy_weight)
        else:
            surrogate, loss = force_matching.double_backward_loss(self.network, batch, energy_weight)
        if not torch.isfinite(loss):
            raise ValueError(
                f"the loss of step {self.global_step} is {loss.item()}; start anew with a learning_rate "
                f"below {self.config.learning_rate:g} or more warmup_steps"
            )
        self.log("loss", loss.detach(), batch_size=len(batch.numbers))
        return {"loss": surrogate, "force_error": loss.detach()}

    def on_validation_epoch_start(self) -> None:
        self._filters = [table.detach() for table in fused.tables(self.average)]

    @torch.enable_grad()
    def validation_step(self, batch: Batch | Graph, batch_idx: int) -> None:
        if isinstance(batch, Batch):
            forces = force_matching.predict_forces(self.average, batch, self._filters)
        else:
            _, forces = force_matching.network_forces(self.average, batch, create_graph=False)
        error = (forces - batch.forces).abs().mean()
        self.log("validation_force_mae", error, batch_size=len(batch.numbers), sync_dist=True)

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
        checkpoint["architecture"] = self.architecture
        checkpoint["parameters"] = sum(p.numel() for p in self.network.parameters())


class FramesModule(LightningDataModule):
    """Training and validation frames; the stream goes on from the trainer's step."""

    def __init__(
        self, config: PotentialConfig, cutoff: float, training: FrameTable, validation: FrameTable | None
    ) -> None:
        super().__init__()
        self.config, self.training, self.validation = config, training, validation
        self.cutoff = cutoff

    def _place(self) -> dict[str, int]:
        trainer = self.trainer
        return {"rank": trainer.global_rank, "world": trainer.world_size} if trainer else {}

    def train_dataloader(self) -> DataLoader[Batch]:
        start = self.trainer.global_step if self.trainer else 0
        stream = BatchStream(
            self.training,
            self.config.batch,
            self.config.seed,
            pairs=self.config.energy_weight > 0.0,
            start=start,
            **self._place(),
        )
        return DataLoader(stream, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch] | list[Any]:
        if self.validation is None:
            return []
        frames = ValidationBatches(self.validation, self.config.validation_frames, **self._place())
        return DataLoader(frames, batch_size=None)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch | Graph:
        return batch if device.type == "cpu" else Graph.of(batch, self.cutoff, device)


def make_module(config: PotentialConfig) -> ForceMatching:
    """With random weights by the seed, or those of the model `config.start`."""
    from polymd.potentials import registry

    if config.start is not None:
        weights, sizes, _ = storage.read(registry.find(config.start))
        module = ForceMatching(Architecture(**(sizes | {"elements": tuple(sizes["elements"])})), config)
        state = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
        module.network.load_state_dict(state)
        module.average.load_state_dict(state)
        return module
    sizes = config.architecture.model_dump() if config.architecture else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return ForceMatching(Architecture(**sizes), config)

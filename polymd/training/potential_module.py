"""Force matching as a LightningModule, and its frames as a LightningDataModule.

On a CPU the gradient comes from `force_matching.surrogate_loss` (first derivatives, Numba); on a GPU the
plain torch network is differentiated twice. Both minimise mean |F - F*|, plus an energy term on request.
"""

import logging
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from polymd.potentials.polyget import fused, storage
from polymd.potentials.polyget.model import Architecture, PolyGET
from polymd.training import force_matching
from polymd.training.averaging import AveragedTraining
from polymd.training.batches import BatchStream, FrameTable, ValidationBatches
from polymd.training.force_matching import Batch, Graph
from polymd.training.potential_config import PotentialConfig

# Every process imports this module: none of them is to announce devices and process groups.
for _name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ForceMatching(AveragedTraining):
    """PolyGET in training, on the errors of its forces."""

    config: PotentialConfig
    network: PolyGET
    average: PolyGET

    def __init__(self, architecture: Architecture, config: PotentialConfig) -> None:
        super().__init__(PolyGET(architecture), config)
        self.architecture = architecture.to_dict() | {"elements": list(architecture.elements)}

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

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
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

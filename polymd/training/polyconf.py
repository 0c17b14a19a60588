"""Training of PolyConf: `train` from a checked config to a weights file.

Both phases are trained on the same batches, the second on the encoders of the first without changing them.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from polymd.conformations.polyconf.losses import Conformations, rotation_loss, unit_loss
from polymd.conformations.polyconf.model import PolyConf, Sizes
from polymd.training.averaging import AveragedTraining
from polymd.training.chain_selection import selected_chains
from polymd.training.chain_training import card_of, fit
from polymd.training.checkpoint import averaged_weights, check_checkpoint
from polymd.training.polyconf_config import PolyConfConfig
from polymd.training.polyconf_data import Example, conformations, example

__all__ = ["export", "train"]

_NEIGHBORS = 4
"""Chains of a batch are drawn from so many times as many of similar unit size."""
_VALIDATION_DRAWS = 4


def train(config: PolyConfConfig, *, resume: bool = False) -> dict[str, Any]:
    """Train until the budget is spent, then write the weights; returns their card.

    With `resume` the run goes on from the last checkpoint in `config.out`, as if it had never stopped.

    Raises
    ------
    ValueError
        For data without chains to train on, a checkpoint in the way or missing, or one of another config.
    """
    check_checkpoint(config, resume)
    training, validation, families = read_examples(config)
    if not training:
        raise ValueError("the data hold no chain to train on; give reference chains or labelled frames")
    module = Denoising(config)
    seen = _validation_batches(validation)
    stream = Stream(training, config, module)
    fit(module, config, stream, seen, resume=resume, clip=config.clip, device=config.device)
    return export(config, len(training), families, validation)


def read_examples(config: PolyConfConfig) -> tuple[list[Example], list[Example], list[str]]:
    """Training and validation examples, and the validation families."""
    training: list[Example] = []
    validation: list[Example] = []
    families = set()
    for frames, key, kept in selected_chains(config):
        one = example(frames, config.hottest)
        if one is not None:
            (validation if kept else training).append(one)
            families.update([key] if kept else [])
    return training, validation, sorted(families)


def _validation_batches(examples: list[Example]) -> list[Conformations]:
    rng = np.random.default_rng(0)
    parts = [examples[k : k + 16] for k in range(0, len(examples), 16)]
    return [conformations(part, rng) for part in parts for _ in range(_VALIDATION_DRAWS)]


class Stream(IterableDataset[Conformations]):
    """Endless batches; that of a step depends on the seed and the step alone."""

    def __init__(self, examples: list[Example], config: PolyConfConfig, module: "Denoising") -> None:
        by_size = sorted(examples, key=lambda one: one.units.present.shape[1])
        self.reference = [one for one in by_size if one.reference]
        self.others = [one for one in by_size if not one.reference]
        self.config, self.module = config, module

    def __iter__(self) -> Iterator[Conformations]:
        step = self.module.global_step
        while True:
            rng = np.random.default_rng([self.config.seed, step])
            reference = rng.random() < self.config.reference_share
            pool = self.reference if (reference and self.reference) or not self.others else self.others
            size = min(self.config.batch, len(pool))
            width = min(_NEIGHBORS * size, len(pool))
            first = int(np.clip(rng.integers(len(pool)) - width // 2, 0, len(pool) - width))
            chosen = first + rng.permutation(width)[:size]
            yield conformations([pool[k] for k in chosen], rng)
            step += 1


class Denoising(AveragedTraining):
    """Both losses of PolyConf; the average of the weights is kept beside them."""

    config: PolyConfConfig
    network: PolyConf
    average: PolyConf

    def __init__(self, config: PolyConfConfig) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = PolyConf(Sizes(**config.network.model_dump()))
        if config.start is not None:
            network.load_state_dict(_start_weights(config))
        super().__init__(network, config)

    def training_step(self, batch: Conformations, batch_idx: int) -> Tensor:
        seed = (self.config.seed, self.global_step)
        units = unit_loss(self.network, batch, seed, self.config.most_units)
        rotations = rotation_loss(self.network, batch, seed)
        self.log_dict({"unit_loss": units.detach(), "rotation_loss": rotations.detach()}, batch_size=1)
        return units + rotations

    def validation_step(self, batch: Conformations, batch_idx: int) -> None:
        units = unit_loss(self.average, batch, (batch_idx,), 10_000)
        rotations = rotation_loss(self.average, batch, (batch_idx,))
        self.log_dict({"validation_units": units, "validation_rotations": rotations}, batch_size=1)

    def transfer_batch_to_device(
        self, batch: Conformations, device: torch.device, dataloader_idx: int
    ) -> Conformations:
        return batch.to(device)


def _start_weights(config: PolyConfConfig) -> dict[str, Tensor]:
    assert config.start is not None
    start = PolyConf.read(config.start)
    if start.sizes != Sizes(**config.network.model_dump()):
        raise ValueError(f"start {str(config.start)!r} has the sizes {start.sizes}; give the same network")
    return start.state_dict()


@torch.no_grad()
def _errors(model: PolyConf, examples: list[Example]) -> dict[str, float]:
    """Mean losses on chains of families never trained on."""
    batches = _validation_batches(examples)
    losses = {
        "units": [float(unit_loss(model, batch, (k,), 10_000)) for k, batch in enumerate(batches)],
        "rotations": [float(rotation_loss(model, batch, (k,))) for k, batch in enumerate(batches)],
    }
    return {name: round(float(np.mean(values)), 4) for name, values in losses.items() if values}


def export(
    config: PolyConfConfig, chains: int, families: list[str], validation: list[Example]
) -> dict[str, Any]:
    """Write the averaged weights of the last checkpoint; returns their card."""
    checkpoint = torch.load(config.checkpoint, map_location="cpu", weights_only=True)
    model = PolyConf(Sizes(**config.network.model_dump()))
    weights = averaged_weights(checkpoint)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    model.card = card_of(
        config, checkpoint, weights, chains=chains, families=families, errors=_errors(model, validation)
    )
    partial = config.model.with_suffix(".partial")
    model.save(partial)
    os.replace(partial, config.model)
    return model.card

"""Training of the network behind growth: `train` from a checked config to a weights file."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from polymd.conformations.network import Network, Sizes
from polymd.training.averaging import AveragedTraining
from polymd.training.chain_selection import selected_chains
from polymd.training.chain_training import card_of, fit
from polymd.training.checkpoint import averaged_weights, check_checkpoint
from polymd.training.conformation_config import ConformationConfig
from polymd.training.conformation_data import Example, batch_of, example
from polymd.training.conformation_network import Batch, ConformationNetwork

__all__ = ["ConformationConfig", "export", "train"]

Examples = list[Example]


def train(config: ConformationConfig, *, resume: bool = False) -> dict[str, Any]:
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
    module = DensityFitting(config)
    batches = [batch_of(part, config.frames, np.random.default_rng(0)) for part in _parts(validation, 16)]
    fit(module, config, Stream(training, config, module), batches, resume=resume, clip=config.clip)
    return export(config, len(training) // 2, families, _errors(module.average, validation, config))


def read_examples(config: ConformationConfig) -> tuple[Examples, Examples, list[str]]:
    """Training and validation examples, each chain in both directions, and the validation families."""
    training: Examples = []
    validation: Examples = []
    families = set()
    for frames, key, kept in selected_chains(config):
        target = validation if kept else training
        target += [example(frames), example(frames, backward=True)]
        families.update([key] if kept else [])
    return training, validation, sorted(families)


class Stream(IterableDataset[Batch]):
    """Endless batches; that of a step depends on the seed and the step alone."""

    def __init__(self, examples: Examples, config: ConformationConfig, module: "DensityFitting") -> None:
        self.reference = [one for one in examples if one.reference]
        self.others = [one for one in examples if not one.reference]
        self.config, self.module = config, module

    def __iter__(self) -> Iterator[Batch]:
        step = self.module.global_step
        while True:
            rng = np.random.default_rng([self.config.seed, step])
            share = self.config.reference_share if self.others else 1.0
            from_reference = rng.binomial(self.config.batch, share) if self.reference else 0
            counts = (from_reference, self.config.batch - from_reference)
            chosen = [
                pool[k]
                for pool, count in zip((self.reference, self.others), counts, strict=True)
                for k in (rng.integers(len(pool), size=count).tolist() if count else ())
            ]
            yield batch_of(chosen, self.config.frames, rng)
            step += 1


class DensityFitting(AveragedTraining):
    """Maximum likelihood of torsions, lengths and angles; the average of the weights is kept beside them."""

    config: ConformationConfig
    network: ConformationNetwork
    average: ConformationNetwork

    def __init__(self, config: ConformationConfig) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = ConformationNetwork(Sizes(**config.network.model_dump()))
        if config.start is not None:
            network.load_state_dict(_start_weights(config))
        super().__init__(network, config)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        h = self.network.encode(batch)
        torsions = -mean_log_density(self.network, h, batch)
        self.log("loss", torsions.detach(), batch_size=self.config.batch)
        return torsions + self.config.geometry_weight * self.network.geometry_loss(h, batch)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        h = self.average.encode(batch)
        self.log("validation_loss", -mean_log_density(self.average, h, batch), batch_size=1)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return batch


def _start_weights(config: ConformationConfig) -> dict[str, Tensor]:
    start = Network.read(cast(Any, config.start))
    if start.sizes != Sizes(**config.network.model_dump()):
        raise ValueError(f"start {str(config.start)!r} has the sizes {start.sizes}; give the same network")
    return {name: torch.from_numpy(np.array(value)) for name, value in start.weights.items()}


def mean_log_density(network: ConformationNetwork, h: Tensor, batch: Batch) -> Tensor:
    """Weighted mean of log p over the observed torsions."""
    log_density = network.log_density(h, batch)
    return (batch.torsion_weight * log_density).sum() / batch.torsion_weight.sum()


@torch.no_grad()
def _errors(network: ConformationNetwork, examples: Examples, config: ConformationConfig) -> dict[str, Any]:
    """Mean log density on chains of families never trained on, by where they come from."""
    errors = {}
    for name, reference in (("reference", True), ("labelled", False)):
        some = [one for one in examples if one.reference == reference]
        values = []
        for part in _parts(some, 16):
            batch = batch_of(part, 32, np.random.default_rng(0))
            values.append(float(mean_log_density(network, network.encode(batch), batch)))
        if values:
            errors[name] = {"chains": len(some) // 2, "log_density": round(float(np.mean(values)), 4)}
    return errors


def _parts(examples: Examples, size: int) -> list[Examples]:
    return [examples[k : k + size] for k in range(0, len(examples), size)]


def export(
    config: ConformationConfig, chains: int, families: Sequence[str], errors: dict[str, Any]
) -> dict[str, Any]:
    """Write the averaged weights of the last checkpoint; returns their card."""
    checkpoint = torch.load(config.checkpoint, map_location="cpu", weights_only=True)
    weights = averaged_weights(checkpoint)
    card = card_of(config, checkpoint, weights, chains=chains, families=families, errors=errors)
    partial = config.model.with_suffix(".partial")
    Network(weights, Sizes(**config.network.model_dump()), card).save(partial)
    os.replace(partial, config.model)
    return card

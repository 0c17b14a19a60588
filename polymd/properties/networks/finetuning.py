"""Fine-tuning of a network on labelled polymers, many properties at a time where a polymer has several.

The loss is the mean squared error of standardised targets over the labels that there are; a label of a small
table weighs more, by the inverse root of its number of labels. Early stopping looks at validation polymers
out of the training set; test polymers have no part in it.
"""

from __future__ import annotations

import copy
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from polymd.properties.networks.batching import batches_of_similar_size, in_order_of_size
from polymd.properties.networks.kind import fastest_device, mixed_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from polymd.properties.networks.kind import NetworkKind

    Floats = NDArray[np.float64]

__all__ = ["Examples", "Finetuning", "Labelled", "finetune", "label_weights", "outputs"]

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Finetuning:
    """Settings of a fine-tuning."""

    epochs: int = 20
    batch: int = 32
    learning_rate: float = 1e-3  #: after a warm-up over 5 % of the steps; falls along a cosine to 0
    decay: float = 0.01  #: of weights
    averaging: float = 0.995  #: of the weights' exponential moving average, which is what is used
    seed: int = 0


class Labelled(Protocol):
    """N polymers with T standardised targets, for a network that gives (B, T) for a batch."""

    @property
    def targets(self) -> Floats:
        """(N, T), nan where there is no label."""

    def sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of some polymers; those of similar size come together."""

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> Any:
        """Some polymers on the device of the network; `rng` draws what training draws every time."""


@dataclass(frozen=True)
class Examples:
    """N polymers with T standardised targets."""

    kind: NetworkKind
    samples: Sequence[Any]  #: of `NetworkKind.prepare`
    targets: Floats  #: (N, T), nan where there is no label

    def sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of some polymers."""
        return np.array([self.kind.size(self.samples[row]) for row in rows], dtype=np.int64)

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> Any:
        """Some polymers on the device of the network."""
        return self.kind.collate([self.samples[row] for row in rows], rng).to(fastest_device())


def finetune(
    network: Network,
    examples: Labelled,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
    *,
    mixed: bool = True,
) -> Network:
    """Train a network on some rows; the one returned did best on the validation rows, or is the last.

    `train` and `validation` are rows of `examples`; without validation rows all epochs are run and the last
    average of the weights is taken. `network` itself is left as it is. The one returned is on the processor.
    `mixed`: in `mixed_precision`.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = copy.deepcopy(network).to(fastest_device()).train()
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.decay, fused=True
    )
    sizes, weights = examples.sizes(train), label_weights(examples.targets[train]).to(fastest_device())
    steps = settings.epochs * -(-len(train) // settings.batch)
    best, least, step = average, np.inf, 0
    for epoch in range(settings.epochs):
        losses = []
        for rows in batches_of_similar_size(sizes, settings.batch, rng):
            _set_rate(optimizer, settings.learning_rate, step, steps)
            batch = examples.batch(train[rows], rng)
            targets = torch.from_numpy(examples.targets[train[rows]]).float().to(fastest_device())
            losses.append(_step(network, optimizer, batch, targets, weights, mixed))
            step += 1
            _move_average(average, network, min(settings.averaging, (1.0 + step) / (10.0 + step)))
        if len(validation):
            error = _validation_error(average, examples, validation)
            if error < least:
                best, least = copy.deepcopy(average), error
            tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, validation {error:.4f}")
    return (best if len(validation) else average).cpu()


def outputs(network: nn.Module, examples: Labelled, rows: NDArray[np.int64]) -> Floats:
    """Standardised predictions (rows, T) of some rows."""
    network = network.to(fastest_device()).eval()
    found: list[tuple[NDArray[np.int64], Floats]] = []
    with torch.inference_mode():
        for part in in_order_of_size(examples.sizes(rows)):
            found.append((part, network(examples.batch(rows[part])).double().cpu().numpy()))
    order = np.argsort(np.concatenate([part for part, _ in found]))
    values: Floats = np.concatenate([values for _, values in found])[order]
    return values


def _validation_error(network: nn.Module, examples: Labelled, rows: NDArray[np.int64]) -> float:
    """Mean over targets of their mean squared error, standardised."""
    errors = (outputs(network, examples, rows) - examples.targets[rows]) ** 2
    labelled = ~np.isnan(errors)
    means = np.nansum(errors, axis=0)[labelled.any(axis=0)] / labelled.sum(axis=0)[labelled.any(axis=0)]
    return float(np.mean(means))


def label_weights(targets: Floats) -> Tensor:
    """Of the labels of each target of a training set (N, T), (T,): about one, more where there are few."""
    count = np.maximum(1, (~np.isnan(targets)).sum(axis=0))
    weights = count**-0.5
    return torch.from_numpy((weights * count.sum() / (weights @ count)).astype(np.float32))


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Any,
    targets: Tensor,
    weights: Tensor,
    mixed: bool,
) -> float:
    """One step of the optimizer; its loss. Targets (B, T), nan where there is no label; weights (T,)."""
    labelled = ~targets.isnan()
    with mixed_precision() if mixed else nullcontext():
        found = network(batch)
    errors = (found.float() - targets.nan_to_num()) * labelled
    loss = (weights * errors**2).sum() / labelled.sum()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _set_rate(optimizer: torch.optim.Optimizer, peak: float, step: int, steps: int) -> None:
    """The learning rate of a step: a warm-up over 5 % of the steps, along a cosine to 0."""
    rate = min(1.0, (step + 1) / (0.05 * steps)) * 0.5 * (1.0 + np.cos(np.pi * step / steps))
    for group in optimizer.param_groups:
        group["lr"] = float(peak * rate)


def _move_average(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the averaged weights towards the network's."""
    with torch.no_grad():
        for mean, now in zip(average.parameters(), network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - keep)

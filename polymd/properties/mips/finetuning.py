"""Fine-tuning of MIPS on labelled polymers, many properties at a time where a polymer has several.

The loss is the mean squared error of standardised targets over the labels that there are; a label of a small
table weighs more, by the inverse root of its number of labels. Early stopping looks at validation polymers
out of the training set; test polymers have no part in it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from polymd.properties.mips.graphs import Batch
from polymd.properties.networks.batching import batches_of_similar_size, in_order_of_size
from polymd.properties.networks.finetuning import mean_error, move_average, set_rate
from polymd.properties.networks.kind import fastest_device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.mips.graphs import ChainTensors
    from polymd.properties.mips.model import Mips

    Floats = NDArray[np.float64]

__all__ = ["Examples", "Finetuning", "finetune", "outputs"]


@dataclass(frozen=True)
class Finetuning:
    """Settings of a fine-tuning."""

    epochs: int = 10
    batch: int = 32
    learning_rate: float = 1e-3  #: after a warm-up over 5 % of the steps; falls along a cosine to 0
    decay: float = 0.01  #: of weights
    averaging: float = 0.995  #: of the weights' exponential moving average, which is what is used
    hidden: Mapping[str, float] = field(  #: share of polymers whose descriptors of a kind are hidden
        default_factory=lambda: {"descriptors": 0.2, "physics": 0.2, "shape": 0.5}
    )
    networks: int = 2  #: of one start, with other seeds and other validation polymers; their mean is taken
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """N polymers with T standardised targets."""

    chains: list[ChainTensors]
    targets: Floats  #: (N, T), nan where there is no label
    threshold: int  #: of the chains, in bonds
    extras: dict[str, NDArray[Any]] = field(default_factory=dict)  #: of `EXTRAS`, N rows each; see `Batch`

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Some polymers with all that is known of them."""
        extras = {name: values[rows] for name, values in self.extras.items()}
        return Batch.of([self.chains[row] for row in rows], self.threshold, extras)

    def sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Atoms of some units."""
        return np.array([len(self.chains[row]) for row in rows], dtype=np.int64)

    def weights(self, train: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of the labels of each target, (T,): about one, more where training rows have few."""
        count = np.maximum(1, (~np.isnan(self.targets[train])).sum(axis=0))
        weights = count**-0.5
        normal: NDArray[np.float32] = (weights * count.sum() / (weights @ count)).astype(np.float32)
        return normal


def finetune(
    network: Mips,
    examples: Examples,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> Mips:
    """Train a network on some rows; the one returned did best on the validation rows, or is the last.

    `train` and `validation` are rows of `examples`; without validation rows all epochs are run and the last
    average of the weights is taken. `network` itself is left as it is.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = copy.deepcopy(network).to(fastest_device()).train()
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.decay
    )
    sizes, weights = examples.sizes(train), torch.from_numpy(examples.weights(train)).to(network.device)
    steps = settings.epochs * -(-len(train) // settings.batch)
    best, least, step = average, np.inf, 0
    for epoch in range(settings.epochs):
        losses = []
        for rows in batches_of_similar_size(sizes, settings.batch, rng):
            set_rate(optimizer, settings.learning_rate, step, steps)
            batch = _hide(examples.batch(train[rows]).to(network.device), settings)
            targets = torch.from_numpy(examples.targets[train[rows]]).float().to(network.device)
            losses.append(_step(network, optimizer, batch, targets, weights))
            step += 1
            move_average(average, network, min(settings.averaging, (1.0 + step) / (10.0 + step)))
        if len(validation):
            error = validation_error(average, examples, validation)
            if error < least:
                best, least = copy.deepcopy(average), error
            tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, validation {error:.4f}")
    return (best if len(validation) else average).cpu()


def outputs(networks: Sequence[Mips], examples: Examples, rows: NDArray[np.int64]) -> Floats:
    """Standardised predictions of some rows, (rows, T), the mean of networks."""
    found = np.empty((len(rows), networks[0].targets))
    with torch.inference_mode():
        for part in in_order_of_size(examples.sizes(rows), 64):
            batch = examples.batch(rows[part]).to(networks[0].device)
            values = torch.stack([network(batch) for network in networks]).mean(dim=0)
            found[part] = values.double().cpu().numpy()
    return found


def validation_error(network: Mips, examples: Examples, rows: NDArray[np.int64]) -> float:
    """Mean over targets of their mean squared error, standardised."""
    return mean_error(outputs([network], examples, rows), examples.targets[rows])


def _hide(batch: Batch, settings: Finetuning) -> Batch:
    """The same with descriptors of some polymers missing, so that both parts learn to speak alone."""
    left = {}
    for name, share in settings.hidden.items():
        values: Tensor | None = getattr(batch, name)
        if values is not None:
            unseen = torch.rand(len(values), 1, device=values.device) < share
            left[name] = values.masked_fill(unseen, torch.nan)
    return replace(batch, **left)


def _step(
    network: Mips, optimizer: torch.optim.Optimizer, batch: Batch, targets: Tensor, weights: Tensor
) -> float:
    """One step of the optimizer; its loss. Targets (B, T), nan where there is no label; weights (T,)."""
    labelled = ~targets.isnan()
    errors = (network(batch) - targets.nan_to_num()) * labelled
    loss = (weights * errors**2).sum() / labelled.sum()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())

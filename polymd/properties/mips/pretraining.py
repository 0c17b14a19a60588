"""Pre-training of MIPS on polymers without labels: masked atoms are to be recognised by their surroundings.

A third of the atoms of a unit, with all their images in the chain, lose their kind; the network says element,
hydrogens, charge, ring and so on from the atoms around (arXiv 2507.20326: element only). The loss is the mean
cross-entropy over the columns of `ATOM_FIELDS`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from polymd.properties.mips.batching import batches_of_similar_size
from polymd.properties.mips.graphs import ATOM_SIZES, Batch, ChainTensors
from polymd.properties.mips.model import Mips, Sizes, fastest_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Pretraining", "masked_loss", "pretrain"]

_CHUNK = 1024  # polymers read and batched together


@dataclass(frozen=True)
class Pretraining:
    """Settings of a pre-training."""

    minutes: float = 10.0  #: of processor time
    steps: int | None = None  #: a budget of steps instead of one of minutes
    sizes: Sizes = field(default_factory=Sizes)
    batch: int = 64
    learning_rate: float = 1e-3  #: after a warm-up over 5 % of the budget; falls along a cosine to 0
    masked: float = 0.3  #: share of atoms
    most_atoms: int = 60  #: larger units are left out
    seed: int = 0


def pretrain(
    psmiles: Sequence[str],
    settings: Pretraining,
    checkpoint: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Mips:
    """Pre-train until the budget is spent; a checkpoint that is there already is gone on from.

    Parameters
    ----------
    psmiles
        Polymers in any order; those that cannot be read are left out.
    settings
        The same ones to go on.
    checkpoint
        Written after every 1,024 polymers, or all where there are fewer; `tell` hears of each.

    Raises
    ------
    ValueError
        No polymers; a checkpoint of other settings.
    """
    if not psmiles:
        raise ValueError("no polymers to pre-train on; give a file with a column psmiles")
    torch.manual_seed(settings.seed)
    network = Mips(settings.sizes).to(fastest_device())
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    state: dict[str, Any] = {"chunk": 0, "seconds": 0.0, "steps": 0}
    if checkpoint.exists():
        state = _resume(checkpoint, settings, network, optimizer)
    network.train()
    order = np.random.default_rng(settings.seed).permutation(len(psmiles))
    while _used(settings, state["steps"], state["seconds"]) < 1.0:
        started = time.process_time()
        losses: list[float] = []
        rng = np.random.default_rng((settings.seed, state["chunk"]))
        size = min(_CHUNK, len(order))
        part = np.arange(size * state["chunk"], size * (state["chunk"] + 1)) % len(order)
        for batch in _batches([psmiles[i] for i in order[part]], settings, rng):
            seconds = state["seconds"] + time.process_time() - started
            _set_rate(optimizer, settings, _used(settings, state["steps"] + len(losses), seconds))
            losses.append(_step(network, optimizer, batch, settings.masked, rng))
        state["chunk"] += 1
        state["steps"] += len(losses)
        state["seconds"] += time.process_time() - started
        _save(checkpoint, settings, network, optimizer, state)
        tell(f"{state['seconds'] / 60:.1f} min, {state['steps']} steps, loss {np.mean(losses):.4f}")
    return network.cpu().eval()


def masked_loss(network: Mips, batch: Batch, hidden: Tensor) -> Tensor:
    """Mean cross-entropy of all columns of the hidden atoms, `hidden` (B, N) bool."""
    sizes = torch.tensor(list(ATOM_SIZES.values()), device=batch.atoms.device)
    shown = torch.where(hidden[..., None], sizes, batch.atoms)
    found = network.atoms(replace(batch, atoms=shown))[hidden]
    true = batch.atoms[hidden]
    losses = [
        functional.cross_entropy(head(found), true[:, column])
        for column, head in enumerate(network.masked.values())
    ]
    return torch.stack(losses).mean()


def _used(settings: Pretraining, steps: int, seconds: float) -> float:
    """Share of the budget that is used."""
    return steps / settings.steps if settings.steps else seconds / (60.0 * settings.minutes)


def _batches(psmiles: list[str], settings: Pretraining, rng: np.random.Generator) -> Iterator[Batch]:
    """Polymers as batches of similar size."""
    chains = []
    for text in psmiles:
        try:
            chains.append(ChainTensors.read(text, settings.sizes.threshold))
        except ValueError:  # the lists hold a few units that are no P-SMILES
            continue
    chains = [chain for chain in chains if len(chain) <= settings.most_atoms]
    sizes = np.array([len(chain) for chain in chains])
    for rows in batches_of_similar_size(sizes, settings.batch, rng):
        yield Batch.of([chains[row] for row in rows])


def _step(
    network: Mips, optimizer: torch.optim.Optimizer, batch: Batch, masked: float, rng: np.random.Generator
) -> float:
    """One step of the optimizer; its loss."""
    hidden = batch.real & torch.from_numpy(rng.random(batch.real.shape) < masked)
    if not hidden.any():
        hidden = batch.real
    loss = masked_loss(network, batch.to(network.device), hidden.to(network.device))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _set_rate(optimizer: torch.optim.Optimizer, settings: Pretraining, used: float) -> None:
    """Warm-up, then a cosine to 0, by the share of the budget that is used."""
    rate = min(1.0, used / 0.05) * 0.5 * (1.0 + np.cos(np.pi * min(1.0, used)))
    for group in optimizer.param_groups:
        group["lr"] = float(settings.learning_rate * max(rate, 0.01))


def _save(
    path: Path, settings: Pretraining, network: Mips, optimizer: torch.optim.Optimizer, state: dict[str, Any]
) -> None:
    """Write a checkpoint; one that is half written never takes the place of a whole one."""
    part = path.with_suffix(".part")
    about = {"settings": repr(settings), "state": state}
    torch.save(about | {"network": network.state_dict(), "optimizer": optimizer.state_dict()}, part)
    part.replace(path)


def _resume(
    path: Path, settings: Pretraining, network: Mips, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Load a checkpoint into network and optimizer; how far it was."""
    stored = torch.load(path, map_location=network.device, weights_only=True)
    if stored["settings"] != repr(settings):
        raise ValueError(
            f"{path} was written with {stored['settings']}, not {settings}; go on with the same settings or "
            "choose another file"
        )
    network.load_state_dict(stored["network"])
    optimizer.load_state_dict(stored["optimizer"])
    state: dict[str, Any] = stored["state"]
    return state

"""Pre-training of MIPS on polymers without labels: what is hidden is to be recognised by what is seen.

A third of the atoms of a unit, with all their images in the chain, lose their kind; the network says element,
hydrogens, charge, ring and so on from the atoms around (arXiv 2507.20326: element only). Half of the units
lose their descriptors, which it says from the atoms that are left. The loss is the mean cross-entropy over
the columns of `ATOM_FIELDS` and half the mean squared error of the standardised descriptors.
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

from polymd.properties.mips.graphs import ATOM_SIZES, Batch
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.networks.batching import batches_of_similar_size
from polymd.properties.networks.kind import fastest_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from polymd.properties.mips.store import UnitStore

__all__ = ["Pretraining", "masked_losses", "pretrain"]

_CHUNK = 4096  # polymers batched together, between two checkpoints
_DESCRIBED = 0.5  # weight of descriptors beside atoms in the loss


@dataclass(frozen=True)
class Pretraining:
    """Settings of a pre-training."""

    minutes: float = 10.0  #: of processor time
    steps: int | None = None  #: a budget of steps instead of one of minutes
    sizes: Sizes = field(default_factory=Sizes)  #: the number of descriptors is `counts` and a few
    counts: int = 1024  #: fragments counted by descriptors, at most; 0: no descriptors
    batch: int = 64
    learning_rate: float = 1e-3  #: after a warm-up over 5 % of the budget; falls along a cosine to 0
    masked: float = 0.3  #: share of atoms
    hidden: float = 0.5  #: share of units without descriptors
    most_atoms: int = 60  #: larger units are left out
    seed: int = 0


def pretrain(
    units: UnitStore,
    settings: Pretraining,
    checkpoint: Path,
    tell: Callable[[str], None] = lambda _: None,
    start: Mips | None = None,
) -> Mips:
    """Pre-train until the budget is spent; a checkpoint that is there already is gone on from.

    Parameters
    ----------
    units
        Polymers without labels.
    settings
        The same ones to go on.
    checkpoint
        Written after every 4,096 polymers, or all where there are fewer; `tell` hears of each.
    start
        A network to go on from, of the same vocabulary, where there is no checkpoint yet.

    Raises
    ------
    ValueError
        A checkpoint of other settings.
    """
    torch.manual_seed(settings.seed)
    network = Mips(replace(settings.sizes, descriptors=len(units.vocabulary), dropout=0.0))
    network.set_vocabulary(units.vocabulary)
    network.set_scales("physics", units.physics)
    if start is not None:
        known = {name: tensor for name, tensor in start.state_dict().items() if name != "physics_scales"}
        network.load_state_dict(known, strict=False)
    network = network.to(fastest_device())
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    state: dict[str, Any] = {"chunk": 0, "seconds": 0.0, "steps": 0}
    if checkpoint.exists():
        state = _resume(checkpoint, settings, network, optimizer)
    network.train()
    order = np.random.default_rng(settings.seed).permutation(len(units))
    while _used(settings, state["steps"], state["seconds"]) < 1.0:
        started = time.process_time()
        losses: list[list[float]] = []
        rng = np.random.default_rng((settings.seed, state["chunk"]))
        size = min(_CHUNK, len(order))
        part = order[np.arange(size * state["chunk"], size * (state["chunk"] + 1)) % len(order)]
        for rows in batches_of_similar_size(units.sizes[part], settings.batch, rng):
            seconds = state["seconds"] + time.process_time() - started
            _set_rate(optimizer, settings, _used(settings, state["steps"] + len(losses), seconds))
            losses.append(_step(network, optimizer, units, part[rows], settings, rng))
        state["chunk"] += 1
        state["steps"] += len(losses)
        state["seconds"] += time.process_time() - started
        _save(checkpoint, settings, network, optimizer, state)
        atoms, described, estimated = np.mean(losses, axis=0)
        tell(
            f"{state['seconds'] / 60:.1f} min, {state['steps']} steps, atoms {atoms:.4f}, "
            f"descriptors {described:.4f}, physics {estimated:.4f}"
        )
    return network.cpu().eval()


def masked_losses(network: Mips, batch: Batch, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of all columns of the `hidden` atoms (B, N), bool, and squared error of descriptors.

    Descriptors are those of units whose descriptors the network does not see in `batch`.
    """
    sizes = torch.tensor(list(ATOM_SIZES.values()), device=batch.atoms.device)
    atoms = network.atoms(replace(batch, atoms=torch.where(hidden[..., None], sizes, batch.atoms)))
    true = batch.atoms[hidden]
    losses = [
        functional.cross_entropy(head(atoms[hidden]), true[:, column])
        for column, head in enumerate(network.masked.values())
    ]
    return torch.stack(losses).mean(), network.pooled(batch, atoms)


def _used(settings: Pretraining, steps: int, seconds: float) -> float:
    """Share of the budget that is used."""
    return steps / settings.steps if settings.steps else seconds / (60.0 * settings.minutes)


def _step(
    network: Mips,
    optimizer: torch.optim.Optimizer,
    units: UnitStore,
    rows: NDArray[np.int64],
    settings: Pretraining,
    rng: np.random.Generator,
) -> list[float]:
    """One step of the optimizer; its losses of atoms, descriptors and physics."""
    assert network.described is not None
    assert network.estimated is not None
    descriptors = torch.from_numpy(units.descriptors[rows].astype(np.float32))
    physics = torch.from_numpy(units.physics[rows])
    unseen = torch.from_numpy(rng.random((2, len(rows))) < settings.hidden)
    batch = Batch.of([units[row] for row in rows], settings.sizes.threshold)
    batch = replace(
        batch,
        descriptors=descriptors.masked_fill(unseen[0, :, None], torch.nan),
        physics=physics.masked_fill(unseen[1, :, None], torch.nan),
    ).to(network.device)
    hidden = torch.from_numpy(rng.random(batch.real.shape) < settings.masked).to(network.device) & batch.real
    hidden[:, 0] |= ~hidden.any(dim=1)
    unseen = unseen.to(network.device)
    with torch.autocast(network.device.type, torch.bfloat16):
        atoms, pooled = masked_losses(network, batch, hidden)
        described, estimated = network.described(pooled[unseen[0]]), network.estimated(pooled[unseen[1]])
    losses = [
        atoms,
        _error(described, descriptors.to(network.device)[unseen[0]]),
        _error(estimated, network.standard("physics", physics.to(network.device))[unseen[1]]),
    ]
    optimizer.zero_grad()
    (losses[0] + _DESCRIBED * (losses[1] + losses[2])).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return [float(loss.detach()) for loss in losses]


def _error(said: Tensor, true: Tensor) -> Tensor:
    """Mean squared error; 0 of nothing."""
    return functional.mse_loss(said.float(), true) if len(said) else said.float().sum()


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

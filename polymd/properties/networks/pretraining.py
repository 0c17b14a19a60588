"""Pre-training of a network on chains without labels, by what its kind learns from them; it can go on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.networks.batching import batches_of_similar_size
from polymd.properties.networks.kind import fastest_device, mixed_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import nn

    from polymd.properties.networks.kind import NetworkKind

__all__ = ["Pretraining", "pretrain"]

_CHUNK = 4096  # chains read and batched together


@dataclass(frozen=True)
class Pretraining:
    """Settings of a pre-training."""

    minutes: float = 10.0  #: of processor time
    steps: int | None = None  #: a budget of steps instead of one of minutes
    batch: int = 64
    learning_rate: float = 1e-3  #: after a warm-up over 5 % of the budget; falls along a cosine to 0
    counts: int = 1024  #: fragments of a chain that are learnt, the commonest
    placed: int = 4096  #: chains that may be given conformers
    largest: int = 200  #: larger samples (`NetworkKind.size`) are left out
    seed: int = 0

    def shared(self, share: float) -> Pretraining:
        """With a part of the budget."""
        steps = None if self.steps is None else max(1, round(share * self.steps))
        return replace(self, minutes=share * self.minutes, steps=steps)


def pretrain(
    kind: NetworkKind,
    psmiles: Sequence[str],
    settings: Pretraining,
    checkpoint: Path,
    tell: Callable[[str], None] = lambda _: None,
    start: nn.Module | None = None,
) -> nn.Module:
    """Pre-train until the budget is spent; a checkpoint that is there already is gone on from.

    Parameters
    ----------
    kind
        Of the network.
    psmiles
        Chains in any order; those that cannot be read are left out.
    settings
        The same ones to go on.
    checkpoint
        Written after every 4,096 chains, or all where there are fewer; `tell` hears of each.
    start
        A network whose weights are taken wherever they fit.

    Raises
    ------
    ValueError
        No polymers, or none that can be read; a checkpoint of other settings.
    """
    if not psmiles:
        raise ValueError("no polymers to pre-train on; give a file with a column psmiles")
    network = kind.start(1, start, settings.seed).to(fastest_device())
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01, fused=True)
    about = repr((kind.key, kind.as_dict(), settings))
    state: dict[str, Any] = {"chunk": 0, "seconds": 0.0, "steps": 0}
    if checkpoint.exists():
        state = _resume(checkpoint, about, network, optimizer)
    network.train()
    order = np.random.default_rng(settings.seed).permutation(len(psmiles))
    size = min(_CHUNK, len(order))
    while _used(settings, state["steps"], state["seconds"]) < 1.0:
        part = np.arange(size * state["chunk"], size * (state["chunk"] + 1)) % len(order)
        samples = _samples(kind, [psmiles[i] for i in order[part]], settings.largest, tell)
        started = time.process_time()
        losses: list[float] = []
        rng = np.random.default_rng((settings.seed, state["chunk"]))
        sizes = np.array([kind.size(sample) for sample in samples])
        for rows in batches_of_similar_size(sizes, settings.batch, rng):
            seconds = state["seconds"] + time.process_time() - started
            _set_rate(optimizer, settings, _used(settings, state["steps"] + len(losses), seconds))
            batch = kind.collate([samples[row] for row in rows], rng).to(fastest_device())
            with mixed_precision():
                loss = kind.pretraining_loss(network, batch, rng)
            losses.append(_step(network, optimizer, loss))
        state["chunk"] += 1
        state["steps"] += len(losses)
        state["seconds"] += time.process_time() - started
        _save(checkpoint, about, network, optimizer, state)
        tell(f"{state['seconds'] / 60:.1f} min, {state['steps']} steps, loss {np.mean(losses):.4f}")
    return network.cpu().eval()


def _samples(
    kind: NetworkKind, psmiles: Sequence[str], largest: int, tell: Callable[[str], None]
) -> list[Any]:
    """Those that can be read and are not too large."""
    found = [sample for sample in kind.prepare(psmiles, tell) if sample is not None]
    small = [sample for sample in found if kind.size(sample) <= largest]
    if not small:
        raise ValueError(
            f"none of {len(psmiles)} polymers can be read and is at most {largest} long; "
            "allowed: P-SMILES of repeat units; fix: check the file of the pool"
        )
    return small


def _used(settings: Pretraining, steps: int, seconds: float) -> float:
    """Share of the budget that is used."""
    return steps / settings.steps if settings.steps else seconds / (60.0 * settings.minutes)


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> float:
    """One step of the optimizer; the loss."""
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
    path: Path, about: str, network: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]
) -> None:
    """Write a checkpoint; one that is half written never takes the place of a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    weights = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({"settings": about, "state": state} | weights, part)
    part.replace(path)


def _resume(path: Path, about: str, network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Load a checkpoint into network and optimizer; how far it was."""
    stored = torch.load(path, map_location=fastest_device(), weights_only=True)
    if stored["settings"] != about:
        raise ValueError(
            f"{path} was written with {stored['settings']}, not {about}; go on with the same settings or "
            "choose another file"
        )
    network.load_state_dict(stored["network"])
    optimizer.load_state_dict(stored["optimizer"])
    state: dict[str, Any] = stored["state"]
    return state

"""What the two-channel encoder learns without labels: five tasks, their losses added up.

Masked components: a third of the atoms lose their kind in both channels, which is to be told.
Denoising: some atoms of the 3D channel are displaced; where they were is to be told.
Autoencoding across channels: distances from the 2D channel, shortest paths and bonds from the 3D channel.
Same-scale contrast: an atom in one channel against the atoms in the other, and a molecule against molecules.
Chains: each channel tells what can be computed of the chain, see `networks.taught_pool`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from polymd.properties.mips.graphs import ATOM_SIZES
from polymd.properties.networks.contrast import info_nce
from polymd.properties.networks.denoising import displaced, position_loss
from polymd.properties.networks.distances import pair_distances
from polymd.properties.networks.taught_pool import teaching_loss
from polymd.properties.two_channel.model import means

if TYPE_CHECKING:
    from polymd.properties.two_channel.model import TwoChannel, TwoChannelBatch

__all__ = ["PretrainingTwoChannel"]

_DISTURBED = 0.5  # share of units with hidden atoms; the others are whole
_HIDDEN = 0.3  # share of their atoms that lose their kind
_MOVED, _REACH = 0.15, 1.0  # share of atoms that are displaced, and how far along each axis, Å
_CONTRASTED = 512  # atoms of a batch, at most
_FAR = 10.0  # Å, distances that are told are cut off there


class PretrainingTwoChannel:
    """The losses of a network on a batch with one conformer of each."""

    def __init__(self, network: TwoChannel) -> None:
        self.network, self.decoders = network, network.decoders

    def loss(self, batch: TwoChannelBatch, rng: np.random.Generator) -> Tensor:
        """The sum of all, a scalar."""
        atoms, real = batch.graph.atoms, batch.graph.real
        hidden = real & _below(real, _HIDDEN, rng) & _below(real[:, :1], _DISTURBED, rng)
        sizes = torch.tensor(list(ATOM_SIZES.values()), device=atoms.device)
        shown = torch.where(hidden[..., None], sizes, atoms)
        true = batch.positions[:, 0]
        chosen = batch.present & _below(batch.present, _MOVED, rng)
        moved = displaced(true, chosen, _REACH, rng)
        flat = self.network.flat(batch, shown)
        losses = [self._kinds(flat, atoms, hidden), self._taught("2d", means(flat, real), batch.taught)]
        if not bool(batch.known.any()):
            return torch.stack(losses).sum()
        spatial = self.network.spatial(batch, shown, moved)
        back = self.network.undisturbed(batch, spatial, moved)
        size, known = real.shape[1], batch.known
        both = real & known[:, None]
        told = means(spatial.atoms, real)[known]
        losses += [
            self._kinds(spatial.atoms, atoms, hidden & both),
            self._taught("3d", told, None if batch.taught is None else batch.taught[known]),
            position_loss(back, true[:, :size], chosen[:, :size] & both),
            self._distances(flat, true[:, :size], both),
            self._paths(spatial.atoms, batch.graph.images, both),
            self._contrast(flat, spatial.atoms, real, known, rng),
        ]
        return torch.stack(losses).sum()

    def _kinds(self, found: Tensor, true: Tensor, hidden: Tensor) -> Tensor:
        """Mean cross-entropy over the columns of hidden atoms."""
        if not bool(hidden.any()):
            return found.sum() * 0.0
        losses = [
            functional.cross_entropy(head(found[hidden]), true[hidden][:, column])
            for column, head in enumerate(self.decoders.kinds.values())
        ]
        return torch.stack(losses).mean()

    def _taught(self, side: str, units: Tensor, taught: Tensor | None) -> Tensor:
        """What a channel tells of chains, from the means of their atoms."""
        if taught is None:
            return units.sum() * 0.0
        return teaching_loss(self.decoders.taught[side](units), taught)

    def _distances(self, flat: Tensor, positions: Tensor, real: Tensor) -> Tensor:
        """Mean smooth L1 error of the unit's distances, in Å."""
        pairs = real[:, :, None] & real[:, None]
        if not bool(pairs.any()):
            return flat.sum() * 0.0
        told = self.decoders.distance(flat).squeeze(-1)[pairs]
        true = pair_distances(positions, positions)[pairs].clamp_max(_FAR)
        return functional.smooth_l1_loss(told.float(), true)

    def _paths(self, spatial: Tensor, images: Tensor, real: Tensor) -> Tensor:
        """Mean cross-entropy of the nearest category of pairs: itself, bond, number of bonds, farther."""
        pairs = real[:, :, None] & real[:, None]
        if not bool(pairs.any()):
            return spatial.sum() * 0.0
        some = images > 0
        nearest = torch.where(some.any(dim=-1), some.int().argmax(dim=-1), images.shape[-1])
        return functional.cross_entropy(self.decoders.path(spatial)[pairs], nearest[pairs])

    def _contrast(
        self, flat: Tensor, spatial: Tensor, real: Tensor, known: Tensor, rng: np.random.Generator
    ) -> Tensor:
        """InfoNCE between the channels, of atoms and of whole units."""
        views, both = self.decoders.views, real & known[:, None]
        if not bool(both.any()):
            return flat.sum() * 0.0
        rows = torch.from_numpy(rng.permutation(int(both.sum()))[:_CONTRASTED]).to(flat.device)
        atoms = info_nce(views["atom_2d"](flat[both][rows]), views["atom_3d"](spatial[both][rows]))
        one, other = views["all_2d"](means(flat, real)), views["all_3d"](means(spatial, real))
        return atoms + info_nce(one[known], other[known])


def _below(like: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """True for a random share of entries."""
    return torch.from_numpy(rng.random(tuple(like.shape)) < share).to(like.device)

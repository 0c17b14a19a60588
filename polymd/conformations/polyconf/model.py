"""PolyConf's networks together, and their file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from polymd.conformations.polyconf.batch import UnitBatch
from polymd.conformations.polyconf.masked_autoregression import MaskedAutoregression, Tokens
from polymd.conformations.polyconf.rotation_network import RotationNetwork
from polymd.conformations.polyconf.torsion_diffusion import TorsionDenoiser
from polymd.conformations.polyconf.unit_encoder import UnitEncoder

__all__ = ["PolyConf", "Sizes", "load_polyconf"]

FORMAT = "polymd polyconf 1"
SHIPPED = Path(__file__).parents[1] / "weights" / "polyconf.safetensors"


@dataclass(frozen=True)
class Sizes:
    """Widths of units' and atoms' features, layers of each network, heads of attention."""

    width: int = 128
    atom_width: int = 96
    layers: int = 3
    atom_layers: int = 3
    blocks: int = 3
    heads: int = 8


class PolyConf(nn.Module):
    """Unit encoder, masked autoregression, torsion denoiser and rotation network."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.card: dict[str, Any] = {}
        self.encoder = UnitEncoder(sizes.width, sizes.atom_width, sizes.atom_layers, sizes.heads)
        self.units = MaskedAutoregression(sizes.width, sizes.layers, sizes.heads)
        self.torsions = TorsionDenoiser(sizes.atom_width, sizes.width, sizes.atom_layers, sizes.heads)
        self.rotations = RotationNetwork(sizes.width, sizes.blocks, sizes.heads)
        self.foreign = nn.Parameter(torch.zeros(sizes.width))

    def conditions(self, units: UnitBatch, foreign: Tensor | None = None) -> Tensor:
        """Conditions (M, width) of units; `foreign` (B,) is 1 for chains of another force field, else 0."""
        found = self.encoder.conditions(units)
        return found if foreign is None else found + foreign[units.chain, None] * self.foreign

    def shapes(self, units: UnitBatch, local: Tensor, known: Tensor) -> Tensor:
        """Shape tokens (M, width) of the units `known` (M,) with local coordinates (M, A, 3) Å; else 0."""
        rows = known.nonzero()[:, 0]
        found = local.new_zeros(len(units), self.sizes.width)
        if not len(rows):
            return found
        return found.index_copy(0, rows, self.encoder.shapes(units.select(rows), local[rows]))

    def tokens(
        self, units: UnitBatch, shapes: Tensor, conditions: Tensor, known: Tensor, shape: tuple[int, int]
    ) -> Tokens:
        """Tokens of chains (B, U) = `shape` from those of their units (M, width)."""
        chains = [units.chains(rows, shape) for rows in (shapes, conditions, torch.ones_like(known), known)]
        return Tokens(*chains)

    def save(self, path: Path) -> None:
        """Write weights in float16, sizes and card."""
        from safetensors.torch import save_file

        header = {"format": FORMAT, "sizes": json.dumps(asdict(self.sizes)), "card": json.dumps(self.card)}
        weights = {name: value.half().contiguous().cpu() for name, value in self.state_dict().items()}
        save_file(weights, str(path), metadata=header)

    @classmethod
    def read(cls, path: Path) -> PolyConf:
        """Read what `save` wrote; ValueError for any other file."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as file:
                header = file.metadata() or {}
                weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ValueError(f"cannot read the weights {str(path)!r}: {error}") from error
        if header.get("format") != FORMAT:
            raise ValueError(f"{path} has format {header.get('format')!r}; polyconf needs {FORMAT!r}")
        model = cls(Sizes(**json.loads(header["sizes"])))
        model.load_state_dict(weights)
        model.card = json.loads(header["card"])
        return model.eval().requires_grad_(False)


@lru_cache(maxsize=4)
def load_polyconf(path: Path = SHIPPED) -> PolyConf:
    """The shipped model, or one from a file."""
    return PolyConf.read(path)

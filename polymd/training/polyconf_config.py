"""The checked description of one training of PolyConf, read from YAML."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from polymd.training.config import NAME, FilePath, Positive, TrainingConfig, read_fields


class PolyConfSizes(BaseModel):
    """Sizes of the networks; see `polymd.conformations.polyconf.model.Sizes`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: int = Field(default=128, ge=16, le=1024, multiple_of=8)
    atom_width: int = Field(default=96, ge=16, le=1024, multiple_of=8)
    layers: int = Field(default=3, ge=1, le=24)
    atom_layers: int = Field(default=3, ge=1, le=24)
    blocks: int = Field(default=3, ge=1, le=24)
    heads: int = Field(default=8, ge=1, le=64)


class PolyConfConfig(TrainingConfig):
    """What to train on and how, beside what `TrainingConfig` says.

    Attributes
    ----------
    data, excluded_families, unseen_families, validation_fraction, labelled_chains
        As in `polymd.training.conformation_config.ConformationConfig`. Validation and test families of the
        reference chains are unseen whether or not they are listed, if reference chains are first in `data`.
    hottest
        K; hotter labelled frames are left out.
    start
        Weights to begin with, a .safetensors file of the same sizes. Random unless given.
    reference_share
        Part of the batches that is reference chains, where there are any.
    batch
        Chains a step, a frame of each, of similar size of their units.
    most_units
        Masked units a step at most, whose torsions are noised.
    device
        "cpu" or "cuda".
    """

    name: str = Field(default="polyconf", pattern=NAME)
    start: FilePath | None = None
    excluded_families: list[str] = Field(default_factory=list)
    unseen_families: list[str] = Field(default_factory=list)
    validation_fraction: float = Field(default=0.0, ge=0.0, lt=1.0)
    labelled_chains: int = Field(default=2500, ge=1)
    hottest: Positive = 600.0
    reference_share: float = Field(default=0.7, ge=0.0, le=1.0)
    network: PolyConfSizes = PolyConfSizes()
    batch: int = Field(default=12, ge=1)
    most_units: int = Field(default=64, ge=1)
    learning_rate: Positive = 2e-3
    warmup_steps: int = Field(default=50, ge=0)
    weight_decay: float = Field(default=0.02, ge=0.0)
    clip: Positive = 1.0
    ema: float = Field(default=0.995, ge=0.0, lt=1.0)
    device: Literal["cpu", "cuda"] = "cpu"
    checkpoint_minutes: float = Field(default=2.0, ge=0.0)


def read_config(path: str | Path, **overrides: Any) -> PolyConfConfig:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    return read_fields(PolyConfConfig, path, **overrides)

"""The checked description of one training of the network behind growth, read from YAML."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from polymd.training.config import NAME, FilePath, Positive, TrainingConfig, read_fields


class NetworkSizes(BaseModel):
    """Sizes of the network; see `polymd.conformations.network.Sizes`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: int = Field(default=64, ge=8, le=512)
    layers: int = Field(default=4, ge=1, le=12)
    hidden: int = Field(default=64, ge=8, le=512, multiple_of=2)


class ConformationConfig(TrainingConfig):
    """What to train on and how, beside what `TrainingConfig` says.

    Attributes
    ----------
    data
        Reference chains (`polymd.datasets.polybench`) and labelled frames, HDF5. The model speaks for the
        force field of the reference chains; frames of another one, marked as such, widen its chemistry.
    start
        Weights to begin with, a .safetensors file; its sizes are those of `network`. Random unless given.
    excluded_families
        P-SMILES used for nothing, in no spelling.
    unseen_families
        P-SMILES whose labelled frames are left out: those of reference chains that are not for training.
    validation_fraction
        Of the families of the labelled frames, kept out; of reference chains those of the split
        "validation". Reference chains of the split "test" are used for nothing.
    labelled_chains
        At most so many chains of labelled frames, drawn by `seed`.
    reference_share
        Part of each batch that is reference chains, where there are any.
    batch, frames
        Chains a step, and frames of each.
    weight_decay, clip
        Of SOAP; largest norm of the gradient.
    geometry_weight
        Of the log likelihood of bond lengths and angles beside that of torsions.
    validate_every
        Steps between two validations.
    seed
        Of weights, batches and the random validation families.
    """

    name: str = Field(default="growth", pattern=NAME)
    start: FilePath | None = None
    excluded_families: list[str] = Field(default_factory=list)
    unseen_families: list[str] = Field(default_factory=list)
    validation_fraction: float = Field(default=0.04, ge=0.0, lt=1.0)
    labelled_chains: int = Field(default=2500, ge=1)
    reference_share: float = Field(default=0.5, ge=0.0, le=1.0)
    network: NetworkSizes = NetworkSizes()
    batch: int = Field(default=16, ge=1)
    frames: int = Field(default=8, ge=1)
    learning_rate: Positive = 3e-3
    warmup_steps: int = Field(default=100, ge=0)
    clip: Positive = 5.0
    geometry_weight: float = Field(default=0.1, ge=0.0)
    ema: float = Field(default=0.998, ge=0.0, lt=1.0)
    checkpoint_minutes: float = Field(default=2.0, ge=0.0)


def read_config(path: str | Path, **overrides: Any) -> ConformationConfig:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    return read_fields(ConformationConfig, path, **overrides)

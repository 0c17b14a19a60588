"""The checked description of one training of PolyGET, read from YAML."""

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from polymd.training.config import NAME, Positive, TrainingConfig, read_fields


class Sizes(BaseModel):
    """Sizes of a network; see `polymd.potentials.polyget.model.Architecture`. The cutoff is in Å."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    channels: int = Field(default=64, ge=8, le=1024, multiple_of=2)
    layers: int = Field(default=3, ge=1, le=12)
    heads: int = Field(default=8, ge=1)
    basis: int = Field(default=32, ge=4, le=256)
    cutoff: float = Field(default=5.0, ge=2.0, le=20.0)

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> Self:
        if self.channels % self.heads:
            raise ValueError(f"{self.heads} heads do not divide {self.channels} channels")
        return self


class PotentialConfig(TrainingConfig):
    """What to train on and how, beside what `TrainingConfig` says.

    Attributes
    ----------
    data
        Labelled frames, HDF5 or extended XYZ.
    validation_families
        P-SMILES whose frames are kept for validation; other spellings of them are dropped.
    validation_fraction
        Of the remaining families, chosen by `seed`, also kept for validation.
    excluded_families
        Used for nothing, in no spelling.
    validation_frames, validate_every
        Validation force MAE on so many frames after every so many steps.
    architecture
        Sizes of the network; that of `start` when fine-tuning.
    batch
        Molecules a step, shared out over the processes.
    processes
        On a CPU, one for each core; on GPUs, one for each device.
    energy_weight
        Å, of a second term of the loss: mean |dE - dE*| / N between two frames of a molecule, eV/atom.
        Batches then hold frames two by two. 0 trains on forces alone.
    weight_decay, clip
        Of SOAP; largest norm of the gradient, unlimited unless given.
    start
        Model to fine-tune: a name of `polymd.potentials.available()` or a .safetensors file.
    seed
        Of weights, batches and the random validation families.
    """

    may_change: ClassVar[frozenset[str]] = TrainingConfig.may_change | {"validation_frames"}
    name: str = Field(default="polyget", pattern=NAME)
    validation_families: list[str] = Field(default_factory=list)
    validation_fraction: float = Field(default=0.0, ge=0.0, lt=1.0)
    excluded_families: list[str] = Field(default_factory=list)
    validation_frames: int = Field(default=400, ge=1)
    architecture: Sizes | None = None
    batch: int = Field(default=32, ge=1)
    processes: int = Field(default=1, ge=1, le=256)
    energy_weight: float = Field(default=0.0, ge=0.0)
    clip: Positive | None = None
    start: str | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.batch % self.processes:
            raise ValueError(f"batch {self.batch} cannot be shared out over {self.processes} processes")
        share = self.batch // self.processes
        if self.energy_weight and share % 2:
            raise ValueError(
                f"energy_weight takes frames two by two, but each process gets {share}; change batch"
            )
        if self.start is not None and self.architecture is not None:
            raise ValueError(f"the architecture is that of start {self.start!r}; drop one of the two")
        return self


def read_config(path: str | Path, **overrides: Any) -> PotentialConfig:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    return read_fields(PotentialConfig, path, **overrides)

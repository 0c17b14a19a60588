"""The checked description of one training of PolyGET, read from YAML."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

FilePath = Annotated[Path, BeforeValidator(lambda x: Path(x) if isinstance(x, str) else x)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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


class PotentialConfig(BaseModel):
    """What to train on and how.

    Attributes
    ----------
    data
        Labelled frames, HDF5 or extended XYZ.
    out
        Folder of the checkpoint, the logs and the finished model `<name>.safetensors`.
    name
        Of the model.
    minutes, steps
        Budget, one of the two. Minutes are those spent in training, added up over restarts.
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
    learning_rate, warmup_steps
        Peak of SOAP's rate, reached linearly; from there on it falls linearly to zero over the budget.
    energy_weight
        Å, of a second term of the loss: mean |dE - dE*| / N between two frames of a molecule, eV/atom.
        Batches then hold frames two by two. 0 trains on forces alone.
    weight_decay, clip
        Of SOAP; largest norm of the gradient, unlimited unless given.
    ema
        Decay a step of the averaged weights, which are those validated and exported.
    start
        Model to fine-tune: a name of `polymd.potentials.available()` or a .safetensors file.
    checkpoint_minutes
        Time between two checkpoints; 0 writes one after every step.
    seed
        Of weights, batches and the random validation families.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    data: list[FilePath] = Field(min_length=1)
    out: FilePath
    name: str = Field(default="polyget", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    minutes: Positive | None = None
    steps: int | None = Field(default=None, ge=1)
    validation_families: list[str] = []
    validation_fraction: float = Field(default=0.0, ge=0.0, lt=1.0)
    excluded_families: list[str] = []
    validation_frames: int = Field(default=400, ge=1)
    validate_every: int = Field(default=500, ge=1)
    architecture: Sizes | None = None
    batch: int = Field(default=32, ge=1)
    processes: int = Field(default=1, ge=1, le=256)
    learning_rate: Positive = 2e-3
    warmup_steps: int = Field(default=500, ge=0)
    energy_weight: float = Field(default=0.0, ge=0.0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    clip: Positive | None = None
    ema: float = Field(default=0.999, ge=0.0, lt=1.0)
    start: str | None = None
    checkpoint_minutes: float = Field(default=5.0, ge=0.0)
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        for name in data.keys() - cls.model_fields.keys() if isinstance(data, dict) else ():
            close = get_close_matches(str(name), list(cls.model_fields), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"unknown field {name!r}; known: {', '.join(cls.model_fields)}{hint}")
        return data

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give the budget as one of minutes and steps, such as 'minutes: 60'")
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

    @property
    def checkpoint(self) -> Path:
        """The file from which training is resumed."""
        return self.out / "last.ckpt"

    @property
    def model(self) -> Path:
        """The finished model."""
        return self.out / f"{self.name}.safetensors"


def read_config(path: str | Path, **overrides: Any) -> PotentialConfig:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    import yaml

    try:
        fields = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read config {str(path)!r}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"config {str(path)!r} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"config {str(path)!r} must be a mapping of fields such as 'data: [frames.h5]'")
    if "minutes" in overrides:
        fields.pop("steps", None)
    try:
        return PotentialConfig(**(fields | overrides))
    except ValidationError as error:
        raise ValueError(f"config {str(path)!r}: {_one_line(error)}") from error


def _one_line(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(x) for x in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        value = "" if item["type"] in ("value_error", "missing") else f", not {item['input']!r}"
        parts.append(f"{where}: {message}{value}" if where else message)
    return "; ".join(parts)

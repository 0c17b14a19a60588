"""The checked description of one training of the network behind growth, read from YAML."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

FilePath = Annotated[Path, BeforeValidator(lambda x: Path(x) if isinstance(x, str) else x)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class NetworkSizes(BaseModel):
    """Sizes of the network; see `polymd.conformations.network.Sizes`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: int = Field(default=64, ge=8, le=512)
    layers: int = Field(default=4, ge=1, le=12)
    hidden: int = Field(default=64, ge=8, le=512, multiple_of=2)


class ConformationConfig(BaseModel):
    """What to train on and how.

    Attributes
    ----------
    data
        Reference chains (`polymd.datasets.polybench`) and labelled frames, HDF5. The model speaks for the
        force field of the reference chains; frames of another one, marked as such, widen its chemistry.
    out, name
        Folder of the checkpoint, the logs and the finished weights `<name>.safetensors`.
    minutes, steps
        Budget, one of the two. Minutes are those spent in training, added up over restarts.
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
    learning_rate, warmup_steps, weight_decay, clip
        Of SOAP: peak rate, falling linearly to zero over the budget; largest norm of the gradient.
    geometry_weight
        Of the log likelihood of bond lengths and angles beside that of torsions.
    ema
        Decay a step of the averaged weights, which are those validated and exported.
    validate_every
        Steps between two validations.
    checkpoint_minutes
        Time between two checkpoints; 0 writes one after every step.
    seed
        Of weights, batches and the random validation families.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    data: list[FilePath] = Field(min_length=1)
    out: FilePath
    name: str = Field(default="growth", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    minutes: Positive | None = None
    steps: int | None = Field(default=None, ge=1)
    start: FilePath | None = None
    excluded_families: list[str] = []
    unseen_families: list[str] = []
    validation_fraction: float = Field(default=0.04, ge=0.0, lt=1.0)
    labelled_chains: int = Field(default=2500, ge=1)
    reference_share: float = Field(default=0.5, ge=0.0, le=1.0)
    network: NetworkSizes = NetworkSizes()
    batch: int = Field(default=16, ge=1)
    frames: int = Field(default=8, ge=1)
    learning_rate: Positive = 3e-3
    warmup_steps: int = Field(default=100, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    clip: Positive = 5.0
    geometry_weight: float = Field(default=0.1, ge=0.0)
    ema: float = Field(default=0.998, ge=0.0, lt=1.0)
    validate_every: int = Field(default=500, ge=1)
    checkpoint_minutes: float = Field(default=2.0, ge=0.0)
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give the budget as one of minutes and steps, such as 'minutes: 15'")
        return self

    @property
    def checkpoint(self) -> Path:
        """The file from which training is resumed."""
        return self.out / "last.ckpt"

    @property
    def model(self) -> Path:
        """The finished weights."""
        return self.out / f"{self.name}.safetensors"


def read_config(path: str | Path, **overrides: Any) -> ConformationConfig:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    import yaml

    try:
        fields = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read config {str(path)!r}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"config {str(path)!r} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"config {str(path)!r} must be a mapping of fields such as 'data: [polybench.h5]'")
    if "minutes" in overrides:
        fields.pop("steps", None)
    try:
        return ConformationConfig(**(fields | overrides))
    except ValidationError as error:
        parts = [
            f"{'.'.join(str(x) for x in item['loc'])}: {item['msg'].removeprefix('Value error, ')}".lstrip(
                ": "
            )
            for item in error.errors(include_url=False)
        ]
        raise ValueError(f"config {str(path)!r}: {'; '.join(parts)}") from error

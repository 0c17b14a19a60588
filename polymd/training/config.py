"""What the configurations of all trainings share: known fields in a YAML file, a budget, a folder."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from polymd.config_files import read_mapping

FilePath = Annotated[Path, BeforeValidator(lambda x: Path(x) if isinstance(x, str) else x)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class TrainingConfig(BaseModel):
    """Fields of every training; `read_fields` makes one from a file.

    Attributes
    ----------
    data
        Files to train on.
    out
        Folder of the checkpoint, the logs and the finished model `<name>.safetensors`.
    name
        Of the model.
    minutes, steps
        Budget, one of the two. Minutes are those spent in training, added up over restarts.
    learning_rate, warmup_steps
        Peak of SOAP's rate, reached linearly; from there on it falls linearly to zero over the budget.
    ema
        Decay a step of the averaged weights, which are those validated and exported.
    checkpoint_minutes
        Time between two checkpoints; 0 writes one after every step.
    may_change
        Fields that a training may be resumed with other values of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    may_change: ClassVar[frozenset[str]] = frozenset(
        {"minutes", "steps", "out", "name", "checkpoint_minutes", "validate_every"}
    )

    data: list[FilePath] = Field(min_length=1)
    out: FilePath
    name: str = Field(pattern=NAME)
    minutes: Positive | None = None
    steps: int | None = Field(default=None, ge=1)
    learning_rate: Positive = 2e-3
    warmup_steps: int = Field(default=500, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0.0)
    ema: float = Field(default=0.999, ge=0.0, lt=1.0)
    validate_every: int = Field(default=500, ge=1)
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
    def _one_budget(self) -> Self:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give the budget as one of minutes and steps, such as 'minutes: 60'")
        return self

    @property
    def checkpoint(self) -> Path:
        """The file from which training is resumed."""
        return self.out / "last.ckpt"

    @property
    def model(self) -> Path:
        """The finished model."""
        return self.out / f"{self.name}.safetensors"


Config = TypeVar("Config", bound=TrainingConfig)


def read_fields(kind: type[Config], path: str | Path, **overrides: Any) -> Config:
    """Read a YAML file; overrides replace its fields. Raises ValueError with one line for what is wrong."""
    fields = read_mapping(Path(path), "data: [frames.h5]")
    if "minutes" in overrides:
        fields.pop("steps", None)
    try:
        return kind(**(fields | overrides))
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

"""The checked description of one run."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from polymd.config_files import read_mapping
from polymd.simulation.durations import format_duration, parse_duration
from polymd.simulation.pressures import format_pressure, parse_pressure
from polymd.units import BAR

Duration = Annotated[float, BeforeValidator(parse_duration), PlainSerializer(format_duration)]
Pressure = Annotated[float, BeforeValidator(parse_pressure), PlainSerializer(format_pressure)]
FolderPath = Annotated[
    Path, BeforeValidator(lambda x: Path(x) if isinstance(x, str) else x), PlainSerializer(str)
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

PROVENANCE = ("command", "versions", "machine")  #: what run.yaml holds beside the config
_MAX_ATOMS = 1_000_000
_MAX_STEPS = 2**31 - 1  # of the DCD header
_INNER_STEP, _OUTER_STEP = 1.0, 3.0  # fs
DEFAULT_DENSITY = 0.1  #: g/cm³ of a box of several chains


class Config(BaseModel):
    """What to simulate and how; everything is checked here, before any work.

    Times are strings such as `2ps`, or numbers in fs.

    Attributes
    ----------
    psmiles
        Repeat unit, `*CC(*)c1ccccc1`; of a copolymer the list of its units, taken in turn.
    units
        Repeat units a chain.
    chains
        1 is a single chain in vacuum; more are placed in a periodic cubic box.
    density
        g/cm³ of that box; only for several chains, 0.1 unless given. There is no compression, so
        only dilute boxes can be filled.
    tacticity
        `atactic` (by seed, chain by chain), `isotactic` or `syndiotactic`.
    method, solvent
        How the first conformations are made, see `polymd.generate_conformations`: `auto`, `growth`,
        `polyconf` or `etkdg`, and for growth the quality of the solvent, 0 (poor) to 1 (good).
    time, timestep
        Length of the run and of one step; steps of 1 fs, with an `inner_potential` 3 fs, unless given.
    report
        Time between frames and log lines; 1/500 of the run, 10 steps at least, unless given.
    temperature
        K, of the thermostat; `nve` starts so that it comes to about this temperature.
    ensemble
        `nve` (velocity Verlet), `nvt`, or `npt` for the periodic box of several chains.
    thermostat
        `langevin`, `bussi` or `nose-hoover`; `langevin` unless given. See `polymd.integrators`.
    friction
        1/ps, how fast the thermostat acts: Langevin's friction, 1/τ of Bussi's, the frequency of the chain.
    barostat
        `scr`, stochastic cell rescaling by the analytic stress, or `mc`, Monte Carlo by energies; `scr`
        unless given.
    pressure
        `1bar`, `10MPa`, ... of `npt`; 1 bar unless given.
    anisotropic
        Let `npt` change the three edges of the box on their own.
    hydrogen_mass
        amu; hydrogens take the difference from the atom they are bonded to, which allows longer steps.
    potential
        A name of `polymd.potentials.available()`.
    inner_potential, inner_steps
        A cheaper potential that moves the atoms so many times in each step, at the end of which the full one
        corrects them; inner steps of about 1 fs unless given. For `nve` and `langevin`; see
        `polymd.integrators.mts`.
    engine
        `auto`, `torchforce`, `pythonforce` or `ase`.
    platform
        `auto` or an OpenMM platform.
    max_uncertainty
        eV/Å; warn or stop when the calibrated `forces_std` of an atom exceeds it, looked at every 50 steps
        and at every frame. The potential needs a committee. Nothing is looked at unless given.
    on_uncertainty
        `warn` or `stop`; `warn` unless given.
    seed
        Of conformations, stereo, velocities and noise.
    out
        The run folder; `runs/run-001`, `runs/run-002`, ... unless given.

    Raises
    ------
    pydantic.ValidationError
        A `ValueError`; `explain` makes one line of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    psmiles: str | list[str] = Field(examples=["*CC(*)c1ccccc1"])
    units: int = Field(default=10, ge=1)
    chains: int = Field(default=1, ge=1)
    density: Positive | None = None
    tacticity: Literal["atactic", "isotactic", "syndiotactic"] = "atactic"
    method: Literal["auto", "growth", "polyconf", "etkdg"] = "auto"
    solvent: float = Field(default=1.0, ge=0.0, le=1.0)
    time: Duration = Field(examples=["2ps"])
    timestep: Duration = 1.0
    report: Duration | None = None
    temperature: Positive = 300.0
    ensemble: Literal["nve", "nvt", "npt"] = "nvt"
    thermostat: Literal["langevin", "bussi", "nose-hoover"] | None = None
    friction: Positive = 1.0
    barostat: Literal["scr", "mc"] | None = None
    pressure: Pressure | None = None
    anisotropic: bool = False
    hydrogen_mass: Annotated[float, Field(ge=1.008, le=4.0)] | None = None
    potential: str = "polyget"
    inner_potential: str | None = None
    inner_steps: int | None = Field(default=None, ge=1)
    engine: Literal["auto", "torchforce", "pythonforce", "ase"] = "auto"
    platform: str = "auto"
    max_uncertainty: Positive | None = None
    on_uncertainty: Literal["warn", "stop"] | None = None
    seed: int = Field(default=0, ge=0, lt=2**31)
    out: FolderPath = Field(default_factory=lambda: _next_folder(Path("runs")))

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in data.keys() - cls.model_fields.keys():
                close = get_close_matches(str(name), list(cls.model_fields), n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"unknown field {name!r}; known: {', '.join(cls.model_fields)}{hint}")
            if data.get("inner_potential") is not None:
                return {"timestep": _OUTER_STEP} | data
        return data

    @field_validator("psmiles")
    @classmethod
    def _psmiles_parses(cls, value: str | list[str]) -> str | list[str]:
        from polymd.psmiles import parse

        if value == []:
            raise ValueError("[] has no unit; give one P-SMILES or more")
        for unit in [value] if isinstance(value, str) else value:
            parse(unit)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.n_steps < 1:
            raise ValueError(f"time {self.time:g} fs is shorter than one step of {self.timestep:g} fs")
        if self.n_steps > _MAX_STEPS:
            raise ValueError(f"{self.n_steps} steps are too many; at most {_MAX_STEPS} fit a trajectory")
        if self.chains == 1 and self.density is not None:
            raise ValueError(
                f"density {self.density:g} g/cm3 needs a box of several chains; drop it or ask for chains > 1"
            )
        if self.ensemble == "nve" and self.thermostat is not None:
            raise ValueError(f"thermostat {self.thermostat!r} needs ensemble nvt or npt, not 'nve'; drop one")
        if self.ensemble == "npt" and self.chains == 1:
            raise ValueError("ensemble 'npt' needs a periodic box; ask for chains > 1, or for nvt")
        for name in ("barostat", "pressure", "anisotropic"):
            if self.ensemble != "npt" and getattr(self, name) not in (None, False):
                raise ValueError(f"{name} needs ensemble npt, not {self.ensemble!r}; drop it or ask for npt")
        self._check_inner_potential()
        if self.on_uncertainty is not None and self.max_uncertainty is None:
            raise ValueError(
                f"on_uncertainty {self.on_uncertainty!r} needs max_uncertainty, such as 0.5 (eV/Å)"
            )
        if self.report is not None and not 1 <= round(self.report / self.timestep) <= self.n_steps:
            raise ValueError(
                f"report {self.report:g} fs is not between one step ({self.timestep:g} fs) "
                f"and the run ({self.time:g} fs)"
            )
        return self

    def _check_inner_potential(self) -> None:
        if self.inner_potential is None:
            if self.inner_steps is not None:
                raise ValueError(
                    f"inner_steps {self.inner_steps} needs an inner_potential, such as polyget-fast"
                )
            return
        name = f"inner_potential {self.inner_potential!r}"
        if self.ensemble == "npt" or self.thermostat not in (None, "langevin"):
            raise ValueError(f"{name} goes with ensemble nve, or nvt by the langevin thermostat; drop one")
        if self.engine == "torchforce":
            raise ValueError(f"{name} goes with engine pythonforce or ase, not 'torchforce'; drop one")

    @model_validator(mode="after")
    def _potential_knows_the_elements(self) -> Self:
        from polymd.potentials import check_elements
        from polymd.psmiles import parse

        sequence = [parse(unit) for unit in self.sequence]
        sizes = [unit.GetNumAtoms(onlyExplicit=False) - 2 for unit in sequence]
        n_atoms = self.chains * sum(sizes[i % len(sizes)] for i in range(self.units))
        if n_atoms > _MAX_ATOMS:
            raise ValueError(
                f"{n_atoms} atoms are too many; at most {_MAX_ATOMS}: ask for fewer units or chains"
            )
        numbers = {atom.GetAtomicNum() for unit in sequence for atom in unit.GetAtoms()} - {0}
        for potential in {self.potential, self.inner_potential or self.potential}:
            check_elements(sorted(numbers | {1}), potential)
        if self.max_uncertainty is not None:
            from polymd.potentials.committee import read_committee

            read_committee(self.potential)
        return self

    @property
    def sequence(self) -> list[str]:
        """Repeat units of the chain in turn, one where it is no copolymer."""
        return [self.psmiles] if isinstance(self.psmiles, str) else self.psmiles

    @property
    def n_steps(self) -> int:
        """Steps of the whole run."""
        return round(self.time / self.timestep)

    @property
    def report_steps(self) -> int:
        """Steps between two frames."""
        if self.report is None:
            return min(self.n_steps, max(10, self.n_steps // 500))
        return round(self.report / self.timestep)

    def resolved(self) -> Self:
        """The same run with every default that depends on other fields written out."""
        updates: dict[str, Any] = {"report": self.report_steps * self.timestep}
        if self.chains > 1 and self.density is None:
            updates["density"] = DEFAULT_DENSITY
        if self.ensemble != "nve" and self.thermostat is None:
            updates["thermostat"] = "langevin"
        if self.ensemble == "npt":
            updates["barostat"] = self.barostat or "scr"
            updates["pressure"] = BAR if self.pressure is None else self.pressure
        if self.max_uncertainty is not None and self.on_uncertainty is None:
            updates["on_uncertainty"] = "warn"
        if self.inner_potential is not None and self.inner_steps is None:
            updates["inner_steps"] = max(1, round(self.timestep / _INNER_STEP))
        return self.model_copy(update=updates)


def read_yaml(path: Path) -> dict[str, Any]:
    """Fields of a config file, or of the run.yaml of a finished run.

    Raises
    ------
    ValueError
        When there is no such file or it is not a YAML mapping.
    """
    data = read_mapping(path, "psmiles: ...")
    return {key: value for key, value in data.items() if key not in PROVENANCE}


def explain(error: ValidationError) -> str:
    """A validation error as one line: field, problem, value."""
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(x) for x in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        value = "" if item["type"] == "value_error" else f", not {item['input']!r}"
        if item["type"] == "missing":
            message, value = "missing", f"; for example {(Config.model_fields[where].examples or [''])[0]}"
        parts.append(f"{where}: {message}{value}" if where else message)
    return "; ".join(parts)


def _next_folder(parent: Path) -> Path:
    number = 1
    while (parent / f"run-{number:03d}").exists():
        number += 1
    return parent / f"run-{number:03d}"

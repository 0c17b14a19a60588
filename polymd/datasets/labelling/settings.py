"""What a labelling is made with; the same settings give the same frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

MAX_FORCE = 30.0  #: eV/Å on an atom; more is no geometry of a molecule below 1000 K
LARGE_FORCE = 15.0  #: eV/Å on an atom; a student that gives more is not sure, whatever its committee says
STEPS = 20  #: fs of dynamics from one labelled frame to the next
TEMPERATURES = (300.0, 500.0, 700.0, 1000.0)  #: K of the replicas of a start
STRAINS = ("", "compressed", "", "stretched")  #: of the replicas, turned by one each round
FAMILIES = 4  #: polymers in a batch of replicas


@dataclass(frozen=True)
class Settings:
    """Settings of `label`, checked here.

    Parameters
    ----------
    source
        CSV with a column `psmiles` or without header, or labelled frames (.h5, .hdf5, .xyz, .extxyz).
    teacher
        Name for `load_teacher`.
    sampler
        "md": Langevin dynamics of molecules made from the P-SMILES. "none": the geometries of the frames.
        "distort": those with some bonds stretched, angles pinched and torsions turned.
    dynamics
        Teacher that moves the molecules.
    models
        Folder with AIMNet2's files, where they are not those of an installed Auto3D.
    exclude
        JSON or CSV of P-SMILES that are refused in any form.
    rounds
        Starts of each polymer; each round takes another form (oligomer, ring or pair of some size).
    frames
        Frames labelled of each replica of a start; there are four, at 300, 500, 700 and 1000 K.
    max_units, max_atoms
        Of a molecule (of each one of a pair the units).
    max_force_std
        eV/Å; frames in which the teacher's force std exceeds it on an atom are dropped.
    min_uncertainty
        eV/Å; only frames in which `forces_std` of an atom exceeds it are labelled (active learning). It is
        that of `dynamics`, the student: a PolyGET model with a committee, or a teacher with a force std of
        its own. Frames with a force above 15 eV/Å are labelled too. Every frame is unless given.
    seed
        Of everything random.
    """

    source: Path
    teacher: str = "aimnet2"
    sampler: str = "md"
    dynamics: str = "aimnet2-single"
    models: Path | None = None
    exclude: Path | None = None
    rounds: int = 4
    frames: int = 10
    max_units: int = 4
    max_atoms: int = 80
    max_force_std: float = 0.5
    min_uncertainty: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sampler not in ("md", "none", "distort"):
            raise ValueError(f"unknown sampler {self.sampler!r}; known: md, none, distort")
        for name in ("rounds", "frames", "max_units", "max_atoms"):
            if not 1 <= getattr(self, name) <= 100_000:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: 1 to 100000")
        if not 0 < self.max_force_std < math.inf:
            raise ValueError(f"max_force_std is {self.max_force_std}; allowed: above 0 eV/Å")
        if self.min_uncertainty is not None and not 0 < self.min_uncertainty < math.inf:
            raise ValueError(f"min_uncertainty is {self.min_uncertainty}; allowed: above 0 eV/Å")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; allowed: 0 or more")
        if not self.source.is_file():
            raise ValueError(f"there is no file {str(self.source)!r} of P-SMILES or frames")

    @property
    def blocks(self) -> int:
        """Labelled frames of a replica."""
        return self.frames if self.sampler == "md" else 1

    @property
    def description(self) -> str:
        """The sampler, for the file's attribute."""
        picked = ""
        if self.min_uncertainty is not None:
            picked = f", where forces_std of {self.dynamics} exceeds {self.min_uncertainty:g} eV/Å"
        if self.sampler == "none":
            return f"geometries of {self.source.name}{picked}"
        if self.sampler == "distort":
            return f"geometries of {self.source.name}, distorted{picked}"
        kelvin = "/".join(f"{t:.0f}" for t in TEMPERATURES)
        return f"Langevin BAOAB on {self.dynamics} at {kelvin} K, every {STEPS} fs, some under strain{picked}"

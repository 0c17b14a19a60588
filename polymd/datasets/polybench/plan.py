"""Which polymers the reference data hold, which split each is in, and how long its chains are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from polymd.datasets.sampling.exclusion import Exclusion

__all__ = ["GROWING", "KNOWN", "Settings", "Task", "make_plan"]

Split = Literal["train", "validation", "test"]

KNOWN = (
    "*CC*", "*CC(*)C", "*CC(*)c1ccccc1", "*CCO*", "*CO*", "*CC(*)(C)C(=O)OC", "*OCCOC(=O)c1ccc(C(*)=O)cc1",
    "*NCCCCCC(*)=O", "*CC(*)(F)F", "*C(F)(F)C(*)(F)F", "*CC(*)C#N", "*CC(*)O",
    "*CC(*)OC(C)=O", "*OC(C)C(*)=O", "*OCC(*)=O", "*OCCCCCC(*)=O", "*Oc1ccc(C(C)(C)c2ccc(OC(*)=O)cc2)cc1",
    "*Sc1ccc(*)cc1", "*[Si](C)(c1ccccc1)O*", "*CC=CC*", "*CC(C)=CC*", "*CC(C)O*", "*CCCCO*",
)  # fmt: skip
"""Common polymers, all in the training split."""

ELEMENTS = frozenset({1, 6, 7, 8, 9, 14, 16, 17})
_TABLES = ("EPS", "Egc")
_SHARE = (1, 3)  # of the two tables
_UNIT_ATOMS = 34
GROWING = ("train", "long")
"""Settings that may change from run to run: they leave the split of every polymer as it is."""
_EARLY = 40  # training polymers among which the known ones come
_BETWEEN = {"test": 5, "validation": 11}  # training polymers from one polymer of the split to the next


@dataclass(frozen=True)
class Settings:
    """How the reference data are made; times in ps.

    Every start is minimised, held at `hot` K, cooled in ten steps to `temperature` K, and sampled there.
    Libraries are short chains: `chains` stereoisomers with `starts` starts each. References are long
    chains of test polymers: one stereoisomer with `references` independent starts. For the first `long`
    test polymers there are longer ones too, with `long_references` starts and the schedule of references.
    """

    seed: int = 0
    train: int = 200
    validation: int = 10
    test: int = 20
    charges: Literal["bcc", "gas"] = "bcc"
    temperature: float = 300.0
    hot: float = 600.0
    library_atoms: int = 100
    chains: int = 4
    starts: int = 3
    library_times: tuple[float, float, float] = (6.0, 8.0, 18.0)
    library_frames: int = 16
    reference_atoms: int = 320
    references: int = 5
    reference_times: tuple[float, float, float] = (20.0, 15.0, 60.0)
    reference_frames: int = 20
    long: int = 0
    long_atoms: int = 2000
    long_references: int = 3

    @property
    def sizes(self) -> dict[str, tuple[int, int, int]]:
        """Atoms of a chain, stereoisomers of a polymer, starts of each, by kind."""
        return {
            "library": (self.library_atoms, self.chains, self.starts),
            "reference": (self.reference_atoms, 1, self.references),
            "long": (self.long_atoms, 1, self.long_references),
        }


@dataclass(frozen=True)
class Task:
    """Chains of one polymer: `kind` is "library", "reference" or "long"."""

    psmiles: str
    split: Split
    kind: Literal["library", "reference", "long"]

    @property
    def name(self) -> str:
        """Of the part: split, kind and twelve digits of a checksum of the P-SMILES."""
        return f"{self.split}-{self.kind}-{hashlib.sha256(self.psmiles.encode()).hexdigest()[:12]}"


def make_plan(
    settings: Settings, tables: Path, exclude: Exclusion, more_test: Iterable[str] = ()
) -> list[Task]:
    """Tasks in the order in which they are worked off, so that every split grows from the start.

    Polymers come from `KNOWN` and, a quarter and three quarters, from the tables EPS and Egc in a random
    order: at most 34 atoms a unit, elements H C N O F Si S Cl without
    charges or isotopes, each infinite chain once, none excluded. Test polymers `more_test` come after those.

    Raises
    ------
    ValueError
        The tables are missing or hold too few polymers, or one of `more_test` is in the plan, excluded or
        not of that kind.
    """
    from polymd.repeats import canonical_chain

    taken: set[str] = set()
    chosen: list[str] = []
    wanted = settings.train + settings.validation + settings.test
    for psmiles in (*KNOWN, *_candidates(tables, settings.seed)):
        if len(chosen) == wanted:
            break
        if psmiles in exclude or not _fits(psmiles):
            continue
        if (chain := canonical_chain(psmiles)) not in taken:
            taken.add(chain)
            chosen.append(psmiles)
    if len(chosen) < wanted:
        raise ValueError(f"{tables} has {len(chosen)} polymers that fit, not {wanted}; fix: ask for fewer")
    known, drawn = chosen[: len(KNOWN)], chosen[len(KNOWN) :]
    n_test, n_validation = settings.test, settings.validation
    others = drawn[n_test + n_validation :]
    queues = {
        "test": drawn[:n_test],
        "validation": drawn[n_test : n_test + n_validation],
        "train": _shuffled(known + others[:_EARLY], settings.seed) + others[_EARLY:],
    }
    long = [Task(psmiles, "test", "long") for psmiles in queues["test"][: settings.long]]
    more = [task for psmiles in more_test for task in _of(_unused(psmiles, taken, exclude), "test")]
    return [*_interleaved(queues), *more, *long]


def _unused(psmiles: str, taken: set[str], exclude: Exclusion) -> str:
    """The P-SMILES of one more test polymer; its chain is added to those taken."""
    from polymd.repeats import canonical_chain

    if psmiles in exclude or not _fits(psmiles) or (chain := canonical_chain(psmiles)) in taken:
        raise ValueError(
            f"{psmiles!r} cannot be one more test polymer; allowed: at most {_UNIT_ATOMS} atoms a unit of"
            " H C N O F Si S Cl, neither excluded nor in the plan already; fix: leave it out"
        )
    taken.add(chain)
    return psmiles


def _interleaved(queues: dict[str, list[str]]) -> Iterator[Task]:
    for i, psmiles in enumerate(queues["train"]):
        yield Task(psmiles, "train", "library")
        for split, step in _BETWEEN.items():
            if i % step == step - 1 and queues[split]:
                yield from _of(queues[split].pop(0), split)
    for split in _BETWEEN:
        for psmiles in queues[split]:
            yield from _of(psmiles, split)


def _of(psmiles: str, split: str) -> Iterator[Task]:
    if split == "validation":
        yield Task(psmiles, "validation", "library")
    else:
        yield Task(psmiles, "test", "library")
        yield Task(psmiles, "test", "reference")


def _candidates(tables: Path, seed: int) -> Iterator[str]:
    """P-SMILES of both tables in a random order, a quarter from the first while it lasts."""
    import pandas as pd

    columns = []
    for name in _TABLES:
        path = tables / f"{name}.csv"
        if not path.is_file():
            raise ValueError(
                f"no file {path}; allowed: a folder with {name}.csv; fix: see polymd.datasets.properties"
            )
        columns.append(_shuffled(sorted(set(pd.read_csv(path)["psmiles"])), seed))
    while any(columns):
        for column, share in zip(columns, _SHARE, strict=True):
            yield from column[:share]
            del column[:share]


def _shuffled(items: list[str], seed: int) -> list[str]:
    return [items[i] for i in np.random.default_rng(seed).permutation(len(items))]


def _fits(psmiles: str) -> bool:
    """Whether a chain of the unit is small, of the right elements, without charges and isotopes."""
    from polymd.polymer import Polymer
    from polymd.psmiles import PSmilesError

    try:
        polymer = Polymer(psmiles, 2)
    except PSmilesError:
        return False
    atoms = list(polymer.to_rdkit().GetAtoms())
    plain = not any(atom.GetFormalCharge() or atom.GetIsotope() for atom in atoms)
    small = polymer.n_atoms <= 2 * _UNIT_ATOMS + 2
    return small and plain and set(polymer.atomic_numbers.tolist()) <= ELEMENTS

"""Force errors against the teacher on one fixed choice of frames of the validation families.

The choice is in reference/validation_frames.npz; `choose` made it out of data/train.h5: linear molecules and
rings, 300, 600 and 1000 K, of every family with few frames one frame a temperature, of those with many three,
each of another molecule.
"""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.common import FOLDER, ROOT, check_allowed, read_result, write_result
from benchmarks.accuracy.flat import read_flat, write_flat
from benchmarks.accuracy.methods import compare, fingerprint, ours
from polymd.datasets.frames import LabelledMolecule, read_attributes, read_frames

FILE = FOLDER / "reference" / "validation_frames.npz"
SEEN = FOLDER / "reference" / "training_frames.npz"  #: chosen in the same way among training families
PEERS = ("aimnet2-single", "gfn2", "mmff94")
MANY, SEED = 20, 3


def choose(molecules: list[LabelledMolecule]) -> list[LabelledMolecule]:
    """One frame of a family, kind and temperature, or three of families of more than `MANY` frames."""
    rng = np.random.default_rng(SEED)
    groups: dict[tuple[str, str, float], list[tuple[int, int]]] = {}
    frames: dict[str, int] = {}
    for number, molecule in enumerate(molecules):
        if molecule.kind not in ("linear", "ring"):
            continue
        for k, kelvin in enumerate(molecule.temperatures.tolist()):
            groups.setdefault((molecule.psmiles, molecule.kind, kelvin), []).append((number, k))
            frames[molecule.psmiles] = frames.get(molecule.psmiles, 0) + 1
    taken: dict[int, list[int]] = {}
    for (psmiles, _, _), members in sorted(groups.items()):
        wanted, seen = 3 if frames[psmiles] > MANY else 1, set()
        for index in rng.permutation(len(members)):
            number, k = members[index]
            if len(seen) < wanted and number not in seen:
                seen.add(number)
                taken.setdefault(number, []).append(k)
    return [subset(molecules[number], sorted(taken[number])) for number in sorted(taken)]


def subset(molecule: LabelledMolecule, frames: list[int]) -> LabelledMolecule:
    return LabelledMolecule(
        molecule.numbers,
        molecule.positions[frames],
        molecule.energies[frames],
        molecule.forces[frames],
        molecule.temperatures[frames],
        molecule.psmiles,
        molecule.id,
        molecule.n_units,
        molecule.kind,
    )


def chosen(seen: bool) -> tuple[list[LabelledMolecule], dict[str, str]]:
    """The chosen frames and their level of theory; made from data/train.h5 where the file is missing."""
    file = SEEN if seen else FILE
    if not file.exists():
        import yaml

        from polymd.training.families import split_by_family

        config = yaml.safe_load((ROOT / "examples" / "train_potential.yaml").read_text(encoding="utf-8"))
        check_allowed(config["validation_families"])
        source = ROOT / "data" / "train.h5"
        training, validation = split_by_family(
            read_frames(source), config["validation_families"], 0.0, 0, config["excluded_families"]
        )
        write_flat(file, choose(like(training, validation) if seen else validation), read_attributes(source))
    return read_flat(file)


def like(training: list[LabelledMolecule], validation: list[LabelledMolecule]) -> list[LabelledMolecule]:
    """Molecules of as many training families with many and with few frames as there are for validation."""
    rng = np.random.default_rng(SEED)
    many, few = by_count(training)
    wanted = [len(names) for names in by_count(validation)]
    names = {p for group, n in zip((many, few), wanted, strict=True) for p in rng.permutation(group)[:n]}
    return [m for m in training if m.psmiles in names]


def by_count(molecules: list[LabelledMolecule]) -> tuple[list[str], list[str]]:
    """Families of more than `MANY` frames, and the others."""
    counts: dict[str, int] = {}
    for molecule in molecules:
        counts[molecule.psmiles] = counts.get(molecule.psmiles, 0) + len(molecule.energies)
    many = sorted(psmiles for psmiles, count in counts.items() if count > MANY)
    return many, sorted(set(counts) - set(many))


def main() -> None:
    molecules, attributes = chosen(seen=False)
    old = read_result("frames")
    methods = compare(molecules, (*ours(), *PEERS), old, fingerprint(molecules))
    seen = chosen(seen=True)[0]
    before = {"methods": old.get("seen", {})} if old else None
    content = {"methods": methods, "seen": compare(seen, ("polyget",), before, fingerprint(seen))}
    write_result("frames", content, level_of_theory=attributes["level_of_theory"])


if __name__ == "__main__":
    main()

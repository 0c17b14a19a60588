"""One family against all: two small models, as many steps each, tested on rings of seven and eight units.

    python -m benchmarks.accuracy.ablation

Both have 32 channels, 2 layers and a cutoff of 5 Å, so that the pair costs minutes; their errors are far from
those of the shipped model. One is trained on all molecules of poly(lactic acid), chains and rings of up to
five units, the other on two frames of every molecule of every training family, this one included. The rings
are those of poly(lactic acid) and of three validation families that neither has seen, moved on the single
AIMNet2 model at 300 and 600 K, labelled by the ensemble and kept in reference/ablation_rings.npz.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.common import FOLDER, ROOT, check_allowed, read_result, write_result
from benchmarks.accuracy.flat import read_flat, write_flat
from benchmarks.accuracy.frames import subset
from benchmarks.accuracy.methods import errors
from benchmarks.accuracy.sampled import sampled
from polymd.datasets.frames import LabelledMolecule, read_attributes, read_frames, write_frames
from polymd.potentials import card
from polymd.training.potential_errors import polyget_predictor

RINGS = FOLDER / "reference" / "ablation_rings.npz"
WORK = ROOT / "runs" / "ablation"
SOURCE = ROOT / "data" / "train.h5"
FAMILY = "*OC(C)C(=O)*"
UNSEEN = ("*OCC*", "*OCCC*", "*OCCCC(=O)*")
SETTLE, APART, FRAMES = 200, 50, 2  #: fs, fs, frames of each ring and temperature
FRAMES_EACH, SEED = 2, 0
SETTINGS: dict[str, Any] = {
    "steps": 1200,
    "batch": 32,
    "learning_rate": 1e-3,
    "warmup_steps": 500,
    "seed": SEED,
    "architecture": {"channels": 32, "layers": 2, "heads": 8, "basis": 32, "cutoff": 5.0},
}


def rings() -> list[LabelledMolecule]:
    """The labelled rings, made where their file is missing."""
    if not RINGS.exists():
        check_allowed([FAMILY, *UNSEEN])
        write_flat(RINGS, sample_rings(), {"level_of_theory": "AIMNet2 ensemble, wB97M-D3/def2-TZVPP level"})
    return read_flat(RINGS)[0]


def sample_rings() -> list[LabelledMolecule]:
    """Langevin dynamics of rings of seven and eight units at 300 and 600 K, labelled."""
    from polymd.datasets.sampling.exclusion import is_ring_of_six
    from polymd.datasets.sampling.langevin import Replica
    from polymd.datasets.sampling.starts import Form, make_start

    replicas = []
    for number, psmiles in enumerate((FAMILY, *UNSEEN)):
        for n_units in (7, 8):
            if is_ring_of_six(psmiles, n_units):
                raise ValueError(f"{psmiles} x {n_units} is a ring of six units in another count")
            start = make_start(psmiles, Form("ring", n_units), seed=number)
            replicas += [Replica(start, k, "", (11, number, n_units, int(k))) for k in (300.0, 600.0)]
    return sampled(replicas, [r.start.id for r in replicas], SETTLE, APART, FRAMES)


def training_data() -> dict[str, list[LabelledMolecule]]:
    """Frames of `one` family and of `all` families, without validation families in any spelling."""
    import yaml

    from polymd.training.families import split_by_family

    config = yaml.safe_load((ROOT / "examples" / "train_potential.yaml").read_text(encoding="utf-8"))
    training, _ = split_by_family(
        read_frames(SOURCE), config["validation_families"], 0.0, 0, config["excluded_families"]
    )
    rng = np.random.default_rng(SEED)
    few = []
    for molecule in training:
        order = rng.permutation(len(molecule.energies))[:FRAMES_EACH]
        few.append(subset(molecule, sorted(order.tolist())))
    return {"one": [m for m in training if m.psmiles == FAMILY], "all": few}


def trained(name: str, data: Path) -> Path:
    """The model of a name, trained with `polymd train potential` where its file is missing."""
    from polymd.training.potential import train
    from polymd.training.potential_config import PotentialConfig, Sizes

    settings = SETTINGS | {"architecture": Sizes(**SETTINGS["architecture"])}
    config = PotentialConfig(data=[data], out=WORK / name, name=name, **settings)
    if not config.model.exists():
        train(config, resume=config.checkpoint.exists())
    return config.model


def main() -> None:
    if read_result("ablation"):
        print("results/ablation.json is there already; remove it to train again")
        return
    molecules = rings()
    WORK.mkdir(parents=True, exist_ok=True)
    if not all((WORK / f"{name}.h5").exists() for name in ("one", "all")):
        for name, part in training_data().items():
            write_frames(WORK / f"{name}.h5", part, **read_attributes(SOURCE))
    models = {}
    for name in ("one", "all"):
        model = trained(name, WORK / f"{name}.h5")
        data = read_frames(WORK / f"{name}.h5")
        models[name] = {
            "families": len({m.psmiles for m in data}),
            "frames": sum(len(m.energies) for m in data),
            "minutes": card(str(model))["training"]["minutes"],
            "errors": {
                psmiles: errors([m for m in molecules if m.psmiles == psmiles], polyget_predictor(str(model)))
                for psmiles in (FAMILY, *UNSEEN)
            },
        }
    content = {"family": FAMILY, "unseen": UNSEEN, "settings": SETTINGS, "models": models}
    write_result("ablation", content, level_of_theory="AIMNet2 ensemble, wB97M-D3/def2-TZVPP level")


if __name__ == "__main__":
    main()

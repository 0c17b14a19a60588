"""Uncertainty of PolyGET's forces: how far a committee disagrees with it, scaled to the size of its error.

For atom i, with the forces F of a model and F_m of M small models trained alone from other seeds,

    s_i^2 = 1/M sum_m |F_m,i - F_i|^2        sigma_i = b (a^2 + s_i^2)^(c/2)

`sigma`, called `forces_std`, is the expected length of the model's force error vector on the atom, eV/Å: the
square root of the mean of |F - F*|^2, F* being the teacher's forces. One component has sigma / sqrt(3). a, b
and c are the maximum-likelihood estimates for Gaussian components on families that no model was trained on
(`polymd.training.uncertainty`).

| symbol | code | unit |
|---|---|---|
| s | `disagreement` | eV/Å |
| a, b, c | `Calibration.floor`, `.scale`, `.exponent` | eV/Å, (eV/Å)^(1-c), 1 |
| sigma | `forces_std` | eV/Å |

Query by committee: H. S. Seung, M. Opper, H. Sompolinsky, COLT 1992, p. 287. Committees scaled to the error
of a potential: G. Imbalzano et al., J. Chem. Phys. 154, 074102 (2021).

The committee of `NAME.safetensors` is `NAME-fast.safetensors`, if there is one, and
`NAME-committee-1.safetensors`, ... beside it. `NAME.committee.json` names them with their check sums, the
calibration and its results.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.potentials import registry
from polymd.potentials.half_list import pair_forces
from polymd.potentials.polyget.engine import Engine
from polymd.potentials.polyget.storage import checksum

FORMAT = "polyget-committee-1"
LEAST_MEMBERS = 3
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """From a disagreement to the expected length of the force error, eV/Å."""

    floor: float
    scale: float
    exponent: float

    def __call__(self, disagreement: Float) -> Float:
        return np.asarray(self.scale * (self.floor**2 + disagreement**2) ** (0.5 * self.exponent))


class Committee:
    """Engines of the members, all with one cutoff (Å), and their calibration."""

    def __init__(self, engines: Sequence[Engine], calibration: Calibration) -> None:
        cutoffs = sorted({engine.cutoff for engine in engines})
        if len(cutoffs) > 1:
            raise ValueError(f"members of a committee need one cutoff; these have {cutoffs} Å")
        self.engines, self.calibration, self.cutoff = list(engines), calibration, cutoffs[0]

    def disagreement(
        self,
        numbers: NDArray[np.int64],
        pairs: NDArray[np.int32],
        vectors: NDArray[np.float32],
        forces: Float,
    ) -> Float:
        """s (N,) in eV/Å of forces (N, 3), from the half list of a geometry: pairs (P, 2), vectors (P, 3)."""
        total = np.zeros(len(numbers))
        for engine in self.engines:
            gradient = engine.compute(numbers, pairs, vectors).gradient
            total += ((pair_forces(len(numbers), pairs, gradient) - forces) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(total / len(self.engines)))

    def forces_std(
        self,
        numbers: NDArray[np.int64],
        pairs: NDArray[np.int32],
        vectors: NDArray[np.float32],
        forces: Float,
    ) -> Float:
        """sigma (N,) in eV/Å; arguments as for `disagreement`."""
        return self.calibration(self.disagreement(numbers, pairs, vectors, forces))


def committee_file(model: str) -> Path:
    """Where the description of a model's committee is, or would be."""
    return registry.find(model).with_suffix(".committee.json")


def find_members(model: str) -> list[Path]:
    """Model files of the members beside a model. ValueError where there are fewer than three."""
    path = registry.find(model)
    numbered = [
        p
        for p in path.parent.glob(f"{path.stem}-committee-*.safetensors")
        if registry.MEMBER.fullmatch(p.stem)
    ]
    fast = path.with_name(f"{path.stem}-fast.safetensors")
    members = ([fast] if fast.is_file() else []) + sorted(
        numbered, key=lambda p: int(p.stem.rpartition("-")[2])
    )
    if len(members) < LEAST_MEMBERS:
        raise ValueError(
            f"potential {model!r} has {len(members)} members for a committee; {LEAST_MEMBERS} are needed: "
            f"put {path.stem}-committee-1.safetensors, -2, ... beside {path}"
        )
    return members


def read_committee(model: str) -> dict[str, Any]:
    """Description of a model's committee, as `write_committee` left it.

    Raises ValueError where there is none, or one of other weights than those that are there now.
    """
    path = committee_file(model)
    if not path.is_file():
        raise ValueError(
            f"potential {model!r} has no committee, so its forces come without uncertainty; train "
            "members and run polymd train committee, or use a potential that has one"
        )
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if description.get("format") != FORMAT:
        raise ValueError(f"{path} has format {description.get('format')!r}; a committee has {FORMAT!r}")
    for name, expected in {**description["members"], registry.find(model).name: description["model"]}.items():
        file = path.with_name(name)
        if not file.is_file() or checksum(file) != expected:
            raise ValueError(
                f"{file} is not the file that {path.name} was calibrated with; "
                "run polymd train committee again"
            )
    return description


def write_committee(
    model: str, members: Sequence[Path], calibration: Calibration, facts: dict[str, Any]
) -> Path:
    """Write the description of a model's committee, with facts about its calibration, beside the model."""
    description = {
        "format": FORMAT,
        "model": checksum(registry.find(model)),
        "members": {path.name: checksum(path) for path in members},
        "calibration": asdict(calibration),
    }
    path = committee_file(model)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(description | facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def load_committee(model: str) -> Committee:
    """The calibrated committee of a model; errors as in `read_committee`."""
    description = read_committee(model)
    folder = committee_file(model).parent
    engines = [registry.load_engine(str(folder / name)) for name in description["members"]]
    return Committee(engines, Calibration(**description["calibration"]))

from __future__ import annotations

import torch

from polymd.conformations.polyconf.frames import quaternion_matrix, random_quaternions
from polymd.conformations.polyconf.model import PolyConf


def inputs(model: PolyConf, n_units: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "latent": torch.randn(2, n_units, model.sizes.width, generator=generator),
        "line": 2.0 * torch.randn(2, n_units, 6, 3, generator=generator),
        "rotation": quaternion_matrix(random_quaternions((2, n_units), generator)),
        "noise": torch.tensor([0.3, 1.2]),
        "present": torch.ones(2, n_units, dtype=torch.bool),
    }


def test_turns_do_not_depend_on_how_the_chain_lies(model: PolyConf) -> None:
    given = inputs(model)
    turn = quaternion_matrix(random_quaternions((1,), torch.Generator().manual_seed(1)))[0]
    found, moved = model.rotations(**given), model.rotations(**given | {"rotation": turn @ given["rotation"]})
    assert torch.allclose(found, moved, atol=1e-4)
    assert (1.0 - found[..., 0].abs()).max() > 1e-3


def test_padding_changes_nothing(model: PolyConf) -> None:
    given = inputs(model)
    padded = {}
    for name, value in given.items():
        padded[name] = value if name == "noise" else torch.cat([value, torch.flip(value, [1])[:, :3]], dim=1)
    padded["present"][:, 6:] = False
    assert torch.allclose(model.rotations(**padded)[:, :6], model.rotations(**given), atol=1e-5)

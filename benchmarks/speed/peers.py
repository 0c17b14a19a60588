"""Other codes' potentials on the boxes of `polymd.benchmarking.box`: functions of no arguments, each call one
evaluation of energy and forces. float32 on the CPU, random weights unless said otherwise.

Neighbour lists that a code makes itself are part of its time; MACE is given its own for nothing, and AIMNet2
needs none.
"""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from polymd.benchmarking import box
from polymd.potentials import registry
from polymd.potentials.polyget import storage

CUTOFF = 5.0
Evaluation = Callable[[], Any]


def frames(n_atoms: int) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Numbers, four frames as those of `polymd.benchmarking.evaluation`, cell."""
    numbers, positions, cell = box(n_atoms)
    rng = np.random.default_rng(1)
    return numbers, [positions + rng.normal(scale=0.02, size=positions.shape) for _ in range(4)], cell


def torchmdnet(n_atoms: int, kind: str, script: bool = False) -> Evaluation:
    """`equivariant-transformer` of PolyGET's sizes, `tensornet` of as many channels; eager or TorchScript."""
    from torchmdnet.models.model import create_model

    numbers, positions, cell = frames(n_atoms)
    sizes = storage.read(registry.find("polyget"))[1]
    arguments = {
        "model": kind, "embedding_dimension": sizes["channels"], "num_layers": sizes["layers"],
        "num_rbf": sizes["basis"], "rbf_type": "expnorm",
        "trainable_rbf": False, "activation": "silu", "attn_activation": "silu", "num_heads": sizes["heads"],
        "distance_influence": "both", "neighbor_embedding": True, "vector_cutoff": True, "cutoff_lower": 0.0,
        "cutoff_upper": CUTOFF, "max_z": 20, "max_num_neighbors": 80, "box_vecs": cell.tolist(),
        "output_model": "Scalar", "derivative": True, "reduce_op": "add", "precision": 32, "atom_filter": -1,
        "prior_model": None, "aggr": "add", "equivariance_invariance_group": "O(3)", "static_shapes": False,
    }  # fmt: skip
    torch.manual_seed(0)
    model = create_model(arguments).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if script:
        model = torch.jit.script(model)
    z = torch.from_numpy(numbers)
    inputs = cycle([torch.tensor(x, dtype=torch.float32) for x in positions])
    return lambda: model(z, next(inputs).clone())


def mace(n_atoms: int) -> Evaluation:
    """mace-torch with 96 scalar channels (96x0e), two layers, l to 3 on edges, correlation 3, r = 4.5 Å."""
    from e3nn import o3
    from mace import data, modules
    from mace.tools import torch_geometric, utils

    numbers, positions, cell = frames(n_atoms)
    torch.manual_seed(0)
    model = modules.ScaleShiftMACE(
        r_max=4.5, num_bessel=8, num_polynomial_cutoff=5, max_ell=3, num_interactions=2, num_elements=2,
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        hidden_irreps=o3.Irreps("96x0e"), MLP_irreps=o3.Irreps("16x0e"), atomic_energies=np.zeros(2),
        avg_num_neighbors=35.0, atomic_numbers=[1, 6], correlation=3, gate=torch.nn.functional.silu,
        atomic_inter_scale=1.0, atomic_inter_shift=0.0,
    ).eval()  # fmt: skip
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    table = utils.AtomicNumberTable([1, 6])
    batches = []
    for x in positions:
        configuration = data.Configuration(
            atomic_numbers=numbers,
            positions=x,
            properties={},
            property_weights={},
            cell=cell,
            pbc=(True,) * 3,
        )
        loader = torch_geometric.dataloader.DataLoader(
            [data.AtomicData.from_config(configuration, z_table=table, cutoff=4.5)], batch_size=1
        )
        batches.append(next(iter(loader)).to_dict())
    inputs = cycle(batches)
    return lambda: model(dict(next(inputs)), compute_force=True)


def aimnet2(n_atoms: int) -> Evaluation:
    """The TorchScript of one trained AIMNet2, not the ensemble, as Auto3D ships it: all pairs, no cell."""
    import importlib.util

    spec = importlib.util.find_spec("Auto3D")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("Auto3D is not installed")
    path = Path(spec.submodule_search_locations[0]) / "models" / "aimnet2_wb97m-d3_0.jpt"
    model = torch.jit.load(str(path))
    numbers, positions, _ = frames(n_atoms)
    z, charge = torch.from_numpy(numbers)[None], torch.zeros(1)
    inputs = cycle([torch.tensor(x, dtype=torch.float32)[None] for x in positions])

    def evaluate() -> Any:
        x = next(inputs).clone().requires_grad_()
        energy = model({"coord": x, "numbers": z, "charge": charge})["energy"]
        return energy, torch.autograd.grad(energy.sum(), x)

    return evaluate

"""Training data of the network behind growth: chains, and the torsions, lengths, angles of their frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.graph_features import ChainGraph, chain_graph
from polymd.conformations.internal import angle_triples, bond_pairs, covalent_lengths, dihedrals
from polymd.conformations.rotors import TorsionTerms, torsion_terms, unit_rotors
from polymd.datasets.frames import LabelledMolecule, read_frames
from polymd.datasets.polybench import storage as polybench
from polymd.polymer import Polymer
from polymd.training.conformation_network import Batch

__all__ = ["ChainFrames", "Example", "batch_of", "example", "labelled_chain", "read_chains"]

Floats = NDArray[np.float64]
_REFERENCE_TEMPERATURE = 300.0  # K
_BONDED = 1.25  # of the summed covalent radii


@dataclass(frozen=True)
class ChainFrames:
    """Frames (F, N, 3) in Å of a chain, in its atom order, with their temperatures (F,) in K."""

    polymer: Polymer
    positions: NDArray[np.floating]
    temperatures: Floats
    reference: bool
    split: str = ""


@dataclass(frozen=True)
class Example:
    """A chain read in one direction, with what was seen of it."""

    graph: ChainGraph
    terms: TorsionTerms
    turns: Floats  # (O,) rad, mean offsets
    lengths: NDArray[np.int64]  # (B, 2)
    length_moments: Floats  # (B, 3) sum of covalent radii, mean, variance at 300 K
    angles: NDArray[np.int64]  # (A, 3)
    angle_moments: Floats  # (A, 2)
    torsions: Floats  # (F, R) rad; NaN where a rotor is free
    scale: Floats  # (F,) 300 K / temperature
    weight: Floats  # (R,)
    reference: bool


def read_chains(path: Path, limit: int | None = None) -> Iterator[ChainFrames]:
    """Chains of a file of reference data (`polymd.datasets.polybench`) or of labelled frames.

    Of labelled frames only linear chains of two or more units are taken, at most `limit` of them; their
    atoms are brought into the order of `Polymer` by comparing graphs, and what does not match is left out.
    """
    if _is_reference(path):
        for chain in polybench.read_chains(path):
            temperatures = np.full(len(chain.positions), _REFERENCE_TEMPERATURE)
            yield ChainFrames(chain.polymer(), chain.positions, temperatures, True, chain.split)
        return
    molecules = [m for m in read_frames(path) if m.kind == "linear" and m.n_units > 1]
    chosen = np.random.default_rng(0).permutation(len(molecules))[:limit]
    for k in sorted(chosen.tolist()):
        frames = labelled_chain(molecules[k])
        if frames is not None:
            yield frames


def _is_reference(path: Path) -> bool:
    import h5py

    if path.suffix.lower() not in (".h5", ".hdf5") or not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return any("tacticity" in group.attrs for group in file.values())


def labelled_chain(molecule: LabelledMolecule) -> ChainFrames | None:
    """A molecule of labelled frames in the atom order of its `Polymer`, None where the graphs differ."""
    from rdkit import Chem

    try:
        polymer = Polymer(molecule.psmiles, molecule.n_units)
    except ValueError:
        return None
    if polymer.n_atoms != len(molecule.numbers):
        return None
    x = molecule.positions[0].astype(np.float64)
    radii = np.array([Chem.GetPeriodicTable().GetRcovalent(int(z)) for z in molecule.numbers])
    distance = np.linalg.norm(x[:, None] - x[None], axis=2)
    i, j = np.nonzero(np.triu(distance < _BONDED * (radii[:, None] + radii[None]), 1))
    if len(i) != len(polymer.bonds):
        return None
    seen = _plain(molecule.numbers.tolist(), list(zip(i.tolist(), j.tolist(), strict=True)))
    wanted = _plain(polymer.atomic_numbers.tolist(), polymer.bonds.tolist())
    match = seen.GetSubstructMatch(wanted)
    if len(match) != polymer.n_atoms:
        return None
    return ChainFrames(polymer, molecule.positions[:, list(match)], molecule.temperatures, False)


def _plain(numbers: Sequence[int], bonds: Sequence[Sequence[int]]) -> Any:
    """Elements and who is bonded to whom, without orders, charges or stereo."""
    from rdkit import Chem

    mol = Chem.RWMol()
    for number in numbers:
        atom = Chem.Atom(int(number))
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    for i, j in bonds:
        mol.AddBond(int(i), int(j), Chem.BondType.SINGLE)
    mol.UpdatePropertyCache(strict=False)
    return mol.GetMol()


def example(frames: ChainFrames, backward: bool = False) -> Example:
    """Graph, terms and observations of a chain, read from its head or from its tail."""
    chain = Chain.of(frames.polymer)
    chain = chain.reversed() if backward else chain
    rotors = [rotor for i in range(chain.n_units) for rotor in unit_rotors(chain, i)]
    terms = torsion_terms(chain, rotors)
    x = np.asarray(frames.positions, dtype=np.float64)
    quads = np.array([(r.before, r.near, r.far, r.after) for r in rotors], dtype=np.int64).reshape(-1, 4)
    torsions = dihedrals(x, quads)
    sides = quads[terms.offset_rotor]
    far = terms.offset_far.astype(bool)
    sides[~far, 0], sides[far, 3] = terms.offset_atom[~far], terms.offset_atom[far]
    turned = dihedrals(x, sides) - torsions[:, terms.offset_rotor]
    scale = 300.0 / frames.temperatures
    lengths, angles = bond_pairs(chain), angle_triples(chain)
    numbers = frames.polymer.atomic_numbers
    torsions[:, [r.free for r in rotors]] = np.nan
    return Example(
        chain_graph(chain, range(frames.polymer.n_atoms)),
        terms,
        np.angle(np.exp(1j * turned).mean(axis=0)),
        lengths,
        np.column_stack([covalent_lengths(numbers, lengths), _moments(_distances(x, lengths), scale)]),
        angles,
        _moments(_angles(x, angles), scale),
        torsions,
        scale,
        np.array([_weight(chain, r.near, r.far) for r in rotors]),
        frames.reference,
    )


def _weight(chain: Chain, near: int, far: int) -> float:
    """Bonds that turn nothing but hydrogens count a quarter."""
    for end, other in ((near, far), (far, near)):
        if all(chain.mol.GetAtomWithIdx(a).GetAtomicNum() == 1 for a in chain.neighbors[end] if a != other):
            return 0.25
    return 1.0


def _moments(values: Floats, scale: Floats) -> Floats:
    """Mean and variance at 300 K (K, 2) of values (F, K): variances grow as the temperature."""
    mean = np.average(values, axis=0, weights=scale)
    return np.column_stack([mean, (scale[:, None] * (values - mean) ** 2).mean(axis=0)])


def _distances(x: Floats, pairs: NDArray[np.int64]) -> Floats:
    return np.asarray(np.linalg.norm(x[:, pairs[:, 0]] - x[:, pairs[:, 1]], axis=2))


def _angles(x: Floats, triples: NDArray[np.int64]) -> Floats:
    a, b = x[:, triples[:, 0]] - x[:, triples[:, 1]], x[:, triples[:, 2]] - x[:, triples[:, 1]]
    cosine = (a * b).sum(axis=2) / np.linalg.norm(a, axis=2) / np.linalg.norm(b, axis=2)
    return np.asarray(np.arccos(np.clip(cosine, -1.0, 1.0)))


def batch_of(examples: Sequence[Example], frames: int, rng: np.random.Generator) -> Batch:
    """Join examples, of each up to `frames` frames drawn at random."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in Batch.__dataclass_fields__}
    base = dict.fromkeys(("atom", "rotor", "pair", "torsion"), 0)
    for one in examples:
        chosen = rng.permutation(len(one.torsions))[:frames]
        for name, values in _arrays(one, chosen, base).items():
            parts[name].append(values)
        base["atom"] += len(one.graph.atoms)
        base["rotor"] += one.torsions.shape[1]
        base["pair"] += len(one.terms.pair_child)
        base["torsion"] += one.torsions[chosen].size
    return Batch(**{name: _tensor(np.concatenate(values)) for name, values in parts.items()})


def _arrays(one: Example, chosen: NDArray[np.int64], base: dict[str, int]) -> dict[str, NDArray[Any]]:
    terms, n_rotors = one.terms, one.torsions.shape[1]
    seen = one.torsions[chosen]
    n_frames, n_pairs = len(chosen), len(terms.pair_child)
    known = np.isfinite(seen)
    cells = base["torsion"] + np.arange(seen.size).reshape(seen.shape)
    turn = one.turns[terms.term_offsets].reshape(-1, 2, 2).sum(axis=2)
    return {
        "atoms": one.graph.atoms,
        "source": np.full(len(one.graph.atoms), float(one.reference)),
        "senders": one.graph.senders + base["atom"],
        "receivers": one.graph.receivers + base["atom"],
        "bonds": one.graph.bonds,
        "single_rotor": terms.single_rotor + base["rotor"],
        "single_atoms": terms.single_atoms + base["atom"],
        "single_turn": one.turns[terms.single_offsets].sum(axis=1),
        "pair_child": terms.pair_child + base["rotor"],
        "term_pair": terms.term_pair + base["pair"],
        "term_atoms": terms.term_atoms + base["atom"],
        "term_turns": turn,
        "lengths": one.lengths + base["atom"],
        "length_moments": one.length_moments,
        "angles": one.angles + base["atom"],
        "angle_moments": one.angle_moments,
        "torsions": np.where(known, seen, 0.0).ravel(),
        "torsion_rotor": np.tile(np.arange(n_rotors) + base["rotor"], n_frames),
        "torsion_scale": np.repeat(one.scale[chosen], n_rotors),
        "torsion_weight": (one.weight * known).ravel(),
        "coupling_pair": np.tile(np.arange(n_pairs) + base["pair"], n_frames),
        "coupling_torsion": cells[:, terms.pair_child].ravel(),
        "coupling_value": seen[:, terms.pair_parent].ravel(),
    }


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(values if values.dtype == np.int64 else values.astype(np.float32))

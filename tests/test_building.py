"""Structures written to files."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from openmm.app import PDBFile
from rdkit import Chem

from polymd.building import build_structure
from polymd.testing import PDB_ATOL


def test_all_formats_hold_the_same_chain(tmp_path: Path) -> None:
    paths = [tmp_path / f"chain{ending}" for ending in (".pdb", ".xyz", ".sdf")]
    polymer, *_ = [build_structure("*CCO*", 4, path, seed=3) for path in paths]
    pdb = PDBFile(str(paths[0]))
    xyz = read(paths[1])
    sdf = next(iter(Chem.SDMolSupplier(str(paths[2]), removeHs=False)))
    positions = pdb.getPositions(asNumpy=True)._value * 10.0
    np.testing.assert_allclose(positions, xyz.positions, atol=PDB_ATOL)
    np.testing.assert_allclose(sdf.GetConformer().GetPositions(), xyz.positions, atol=PDB_ATOL)
    assert pdb.topology.getNumResidues() == 4
    assert (
        list(xyz.numbers) == list(polymer.atomic_numbers) == [atom.GetAtomicNum() for atom in sdf.GetAtoms()]
    )
    assert Chem.MolToSmiles(sdf) == Chem.MolToSmiles(polymer.to_rdkit())


def test_stereo_is_kept_in_sdf(tmp_path: Path) -> None:
    path = tmp_path / "chain.sdf"
    polymer = build_structure("*CC(*)c1ccccc1", 4, path, tacticity="isotactic", seed=1)
    written = next(iter(Chem.SDMolSupplier(str(path), removeHs=False)))
    Chem.AssignStereochemistryFrom3D(written)
    assert Chem.MolToSmiles(written) == Chem.MolToSmiles(polymer.to_rdkit())


def test_rings_and_copolymers_are_built(tmp_path: Path) -> None:
    ring = build_structure("*CCO*", 5, tmp_path / "ring.pdb", ring=True)
    assert ring.n_atoms == 5 * 7
    assert PDBFile(str(tmp_path / "ring.pdb")).topology.getNumBonds() == len(ring.bonds) == ring.n_atoms
    copolymer = build_structure(["*CC*", "*CCO*"], 4, tmp_path / "chain.xyz", solvent=0.0)
    assert list(read(tmp_path / "chain.xyz").numbers) == list(copolymer.atomic_numbers)
    assert copolymer.unit_types.tolist() == [0, 1, 0, 1]


def test_bad_places_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'\.cif'.*\.pdb, \.xyz, \.sdf"):
        build_structure("*CC*", 2, tmp_path / "chain.cif")
    with pytest.raises(ValueError, match="no folder"):
        build_structure("*CC*", 2, tmp_path / "absent" / "chain.pdb")

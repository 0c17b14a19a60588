"""The published layout, written here from grown chains: none of the published data is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from polymd import cli
from polymd.conformations import generate_conformations
from polymd.datasets.polybench.published import read_published
from polymd.polymer import Polymer

CHAINS = [
    ("[*]CC([*])c1ccccc1", Polymer("*CC(*)c1ccccc1", 4, end_groups=("*C", "*C"))),
    ("[*]OCC(=O)[*]", Polymer("*OCC(*)=O", 3, end_groups=("*C", "*O"))),
    ("[*]CCO[*]", Polymer("*CCO*", 4)),  # without extra atoms
    ("[*][Si](C)(c1ccccc1)O[*]", Polymer("*[Si](C)(c1ccccc1)O*", 2, end_groups=("*O", "*[SiH3]"))),
]


def write(folder: Path) -> list[np.ndarray]:
    """Two references of each chain, as SDF of heavy atoms in a random order."""
    rng = np.random.default_rng(0)
    written = []
    rows = []
    for number, (psmiles, polymer) in enumerate(CHAINS):
        rows.append(f"{number},{psmiles}")
        frames = generate_conformations(polymer, 2, seed=number)
        heavy = np.flatnonzero(polymer.atomic_numbers > 1)
        bare = Chem.RemoveAllHs(polymer.to_rdkit())
        place = folder / "true_confs" / f"data_{number}"
        place.mkdir(parents=True)
        order = rng.permutation(len(heavy)).tolist()
        for k, frame in enumerate(frames):
            mol = Chem.Mol(bare)
            conformer = Chem.Conformer(len(heavy))
            conformer.SetPositions(np.ascontiguousarray(frame[heavy]))
            mol.AddConformer(conformer)
            Chem.MolToMolFile(Chem.RenumberAtoms(mol, order), str(place / f"true_conf_{k}.sdf"))
        written.append(frames)
    (folder / "test_data_index.csv").write_text("\n".join(rows) + "\n")
    return written


def test_references_come_in_the_order_of_the_polymer(tmp_path: Path) -> None:
    written = write(tmp_path)
    read = list(read_published(tmp_path))
    assert [item.number for item in read] == list(range(len(CHAINS)))
    for item, frames, (_, polymer) in zip(read, written, CHAINS, strict=True):
        heavy = polymer.atomic_numbers > 1
        assert item.polymer.n_units == polymer.n_units
        np.testing.assert_array_equal(item.polymer.atomic_numbers, polymer.atomic_numbers)
        assert np.isnan(item.positions[:, ~heavy]).all()
        i, j = polymer.bonds[heavy[polymer.bonds].all(axis=1)].T
        found = np.linalg.norm(item.positions[:, i] - item.positions[:, j], axis=2)
        assert found.max() < 2.0  # every bond of the polymer is a bond of the file
        # equivalent atoms may have changed places: compare the clouds
        for frame, positions in zip(frames, item.positions, strict=True):
            distances = np.linalg.norm(frame[heavy][:, None] - positions[heavy][None], axis=2)
            assert distances.min(axis=0).max() < 1e-3


def test_the_command_compares_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    options = ["--method", "growth", "--method", "oracle", "--n", "2", "--chains", "2", "--json"]
    assert cli.main(["evaluate", "conformations", str(tmp_path), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["methods"]["growth"]["chains"] == 2
    assert found["methods"]["oracle"]["failures"] == 2  # no library
    for row in found["polymers"]["growth"] + found["polymers"]["md"]:
        assert 0.0 < row["s_mat_r"] < 10.0
        assert row["e_mat_r_absolute"] < 0.1
    assert found["polymers"]["growth"][0]["clash_free"] == 1.0


def test_what_is_no_such_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file"):
        list(read_published(tmp_path))
    index = tmp_path / "test_data_index.csv"
    index.write_text("name,psmiles\n")
    with pytest.raises(ValueError, match="line 1"):
        list(read_published(tmp_path))
    index.write_text("7,*CC*\n")
    with pytest.raises(ValueError, match="holds no true_conf"):
        list(read_published(tmp_path))
    place = tmp_path / "true_confs" / "data_7"
    place.mkdir(parents=True)
    mol = Chem.MolFromSmiles("CCOCC")
    mol.AddConformer(Chem.Conformer(5))
    Chem.MolToMolFile(mol, str(place / "true_conf_0.sdf"))
    with pytest.raises(ValueError, match=r"no chain of '\*CC\*'"):
        list(read_published(tmp_path))
    (place / "true_conf_0.sdf").write_text("nothing")
    with pytest.raises(ValueError, match="cannot read"):
        list(read_published(tmp_path))

from __future__ import annotations

from pathlib import Path

import pytest

from polymd.datasets.polybench.ambertools import FOLDER_VARIABLE, AmberToolsError, find_program, run_program


def _script(folder: Path, name: str, lines: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def test_programs_are_found_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(AmberToolsError, match=f"no program 'tleap' in .*{FOLDER_VARIABLE}"):
        find_program("tleap")
    _script(tmp_path, "tleap", "echo $OMP_NUM_THREADS $1 > done.txt")
    assert find_program("tleap") == str(tmp_path / "tleap")
    run_program(tmp_path, "tleap", "-f")
    assert (tmp_path / "done.txt").read_text() == "1 -f\n"


def test_a_failure_shows_the_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    _script(tmp_path, "antechamber", "echo no such atom type; exit 3")
    with pytest.raises(AmberToolsError, match="antechamber failed: no such atom type"):
        run_program(tmp_path, "antechamber")

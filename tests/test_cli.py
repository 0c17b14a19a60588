"""The command line: exit codes, one red line for bad input, clean JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from polymd.cli import main

PE = "*CC*"


def failing(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """The one line that a command with bad input prints on stderr."""
    assert main(list(args)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run"], "psmiles: missing"),
        (["run", PE], "time: missing"),
        (["run", "nonsense", "--time", "2ps"], "'nonsense'"),
        (["run", "*CC(*)*", "--time", "2ps"], "3 stars"),
        (["run", "*C", "--time", "2ps"], "1 star"),
        (["run", "*[CH]*", "--time", "2ps"], "unpaired"),
        (["run", "*C[U]C*", "--time", "2ps"], "U"),
        (["run", PE, "--time", "2"], "2ps"),
        (["run", PE, "--time", "2ps", "--units", "0"], "not 0"),
        (["run", PE, "--time", "2ps", "--units", "many"], "--units"),
        (["run", PE, "--time", "2ps", "--temperature", "-3"], "not -3"),
        (["run", PE, "--time", "2ps", "--engine", "lammps"], "'lammps'"),
        (["run", PE, "--time", "2ps", "--potential", "polygte"], "polygte"),
        (["run", PE, "--time", "2ps", "--frobnicate"], "--frobnicate"),
        (["run", "--config", "absent.yaml"], "absent.yaml"),
        (["run", "--resume"], "--out"),
        (["run", "--resume", "--out", "absent"], "'absent' is not a run folder"),
        (["build", PE, "--out", "chain.cif"], ".cif"),
        (["build", PE, "--out", "chain.xyz", "--method", "magic"], "'magic'"),
        (["build", PE, "--out", "chain.xyz", "--tacticity", "tactless"], "tactless"),
        (["build", PE, "--out", "chain.xyz", "--solvent", "2"], "solvent is 2.0"),
        (["build", PE, "*C", "--out", "chain.xyz"], "1 star"),
        (["run", PE, "*C", "--time", "2ps"], "1 star"),
        (["run", PE, "--time", "2ps", "--method", "magic"], "'magic'"),
        (["ran"], "No such command 'ran'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    args: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in failing(capsys, *args)
    assert list(tmp_path.iterdir()) == []


def test_help_is_light() -> None:
    script = (
        "import sys\n"
        "from polymd.cli import main\n"
        "assert main(['--help']) == 0 and main(['run', '--help']) == 0\n"
        "heavy = {'torch', 'openmm', 'rdkit', 'numpy', 'numba', 'ase', 'mdtraj'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert "doctor" in captured.out
    assert captured.err == ""


def test_build_writes_a_structure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chain.xyz"
    assert main(["build", PE, "--units", "4", "--out", str(path)]) == 0
    assert path.read_text().splitlines()[0] == "26"
    assert "26 atoms" in capsys.readouterr().out


def test_build_takes_the_units_of_a_copolymer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chain.xyz"
    assert main(["build", PE, "*CCO*", "--units", "2", "--out", str(path)]) == 0
    assert "15 atoms, 2 units of *CC*-*CCO*" in capsys.readouterr().out


def test_doctor_prints_json_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["platforms"]["Reference"] == {"works": True, "reason": ""}
    assert main(["doctor"]) == 0
    assert "Reference" in capsys.readouterr().out


def test_run_prints_json_that_another_program_can_read(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "polymd.cli",
        "run",
        PE,
        "--units",
        "3",
        "--time",
        "30fs",
        "--out",
        str(out),
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["path"] == str(out)
    assert result["temperature"]["unit"] == "K"
    again = subprocess.run(
        [sys.executable, "-m", "polymd.cli", "run", "--resume", "--out", str(out), "--time", "40fs"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert "radius of gyration" in again.stdout


def test_a_config_file_is_overridden_by_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"psmiles: '{PE}'\nunits: 3\ntime: 20fs\nseed: 5\n")
    assert main(["run", "--config", str(path), "--seed", "6", "--out", str(tmp_path / "run"), "--json"]) == 0
    settings = (tmp_path / "run" / "run.yaml").read_text()
    assert "seed: 6" in settings
    assert "units: 3" in settings


def test_resume_takes_the_options_of_the_run_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "run",
        PE,
        "--units",
        "3",
        "--time",
        "20fs",
        "--engine",
        "auto",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main([*command, "--json"]) == 0
    assert main([*command, "--resume", "--json"]) == 0
    capsys.readouterr()
    assert "units is 3 in this run, not 4" in failing(capsys, *command, "--resume", "--units", "4")
    assert "'*CCO*'" in failing(capsys, "run", "*CCO*", "--resume", "--out", str(tmp_path / "run"))

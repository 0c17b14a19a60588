"""What works on this machine: engines, OpenMM platforms, versions, weights, threads, GPU.

A compiled plugin that imports may still crash when it is used, so engines are probed by making an OpenMM
`Context` in a process of its own.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PACKAGES = (
    "polymd", "openmm", "openmmtorch", "openmmml", "torch", "numba", "numpy", "scipy", "ase", "rdkit",
    "mdtraj",
)  # fmt: skip
_PROBE_SECONDS = 180

_CONTEXT = """
import sys, openmm
def potential_energy(platform, force=None):
    system = openmm.System()
    system.addParticle(1.0)
    if force is not None:
        system.addForce(force)
    integrator = openmm.VerletIntegrator(0.001)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform))
    context.setPositions([openmm.Vec3(1, 2, 3)])
    return context.getState(energy=True, forces=True).getPotentialEnergy()._value
def check(energy):
    assert abs(energy - 14.0) < 1e-4, f"energy {energy} instead of 14"
"""

_TORCHFORCE = """
from polymd.potentials.plugin import import_openmmtorch
openmmtorch = import_openmmtorch()
import torch
class Square(torch.nn.Module):
    def forward(self, positions):
        return (positions * positions).sum()
check(potential_energy("Reference", openmmtorch.TorchForce(torch.jit.trace(Square(), torch.ones(1, 3)))))
"""

_PYTHONFORCE = """
def square(state):
    positions = state.getPositions(asNumpy=True)._value
    return (positions**2).sum(), -2.0 * positions
check(potential_energy("Reference", openmm.PythonForce(square)))
"""

_PLATFORM = "potential_energy(sys.argv[1])"


@cache
def torchforce_available() -> tuple[bool, str]:
    """Whether a TorchForce runs here, and the reason when it does not (a few seconds, once a process)."""
    if package_version("openmmtorch") is None:
        return False, "openmmtorch is not installed; pip install 'polymd[torchforce]'"
    works, reason = _probe(_TORCHFORCE)
    if works:
        return True, ""
    versions = f"openmmtorch {package_version('openmmtorch')} with torch {package_version('torch')}"
    return False, f"{versions}: {reason}; the pair that works is in the extra polymd[torchforce]"


@cache
def pythonforce_available() -> tuple[bool, str]:
    """Whether OpenMM's PythonForce runs here, and the reason when it does not."""
    if package_version("openmm") is None:
        return False, "openmm is not installed; pip install 'openmm>=8.4'"
    works, reason = _probe(_PYTHONFORCE)
    return (True, "") if works else (False, f"OpenMM {package_version('openmm')}: {reason}")


@cache
def platform_available(name: str) -> tuple[bool, str]:
    """Whether an OpenMM platform makes a Context here, and the reason when it does not."""
    return _probe(_PLATFORM, name)


def openmm_platforms() -> list[str]:
    """Names of the platforms OpenMM has loaded, working or not, slowest first."""
    import openmm

    return [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]


def package_version(name: str) -> str | None:
    """Installed version of a distribution, without importing it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str | None]:
    """Python and the packages a result depends on; None where one is not installed."""
    return {"python": platform.python_version()} | {name: package_version(name) for name in _PACKAGES}


def machine() -> dict[str, str | int | None]:
    """Operating system, processor, threads and GPU."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "numba_num_threads": os.environ.get("NUMBA_NUM_THREADS"),
        "gpu": _gpu(),
    }


def diagnose() -> dict[str, Any]:
    """Everything `polymd doctor` shows, ready for JSON.

    Returns
    -------
    dict
        `engines` and `platforms` map a name to `works` and `reason`; `potentials` lists the shipped and
        user models; `versions` and `machine` are those written into run.yaml.
    """
    from polymd.potentials import available

    engines = {
        "torchforce": torchforce_available(),
        "pythonforce": pythonforce_available(),
        "ase": (package_version("ase") is not None, "" if package_version("ase") else "ase is not installed"),
    }
    platforms = {name: platform_available(name) for name in openmm_platforms()}
    return {
        "engines": {name: {"works": ok, "reason": why} for name, (ok, why) in engines.items()},
        "platforms": {name: {"works": ok, "reason": why} for name, (ok, why) in platforms.items()},
        "potentials": available(),
        "versions": versions(),
        "machine": machine(),
    }


def warm_up() -> float:
    """Compile the kernels that runs and training use, for the sizes of every potential found here, and keep
    them on disk; gives the seconds it took. What is compiled already costs next to nothing.
    """
    import time

    import numpy as np

    from polymd.benchmarking import box
    from polymd.neighbors import neighbor_list
    from polymd.potentials import available
    from polymd.potentials.registry import elements
    from polymd.potentials.replicas import Replicas

    start = time.perf_counter()
    _, positions, cell = box(40)
    for x in (positions, positions.astype(np.float32)):
        neighbor_list("ijSDd", x, cell, True, 5.0)
    for name in available():
        replicas = Replicas([np.full(len(positions), elements(name)[0])], name)
        replicas.evaluate(positions)
        replicas.evaluate(positions, cell, True)
    return time.perf_counter() - start


def _probe(script: str, *args: str) -> tuple[bool, str]:
    """Run a script in a fresh interpreter; its last error line or its signal is the reason."""
    command = [sys.executable, "-W", "ignore", "-c", _CONTEXT + script, *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False, f"no answer in {_PROBE_SECONDS} s"
    if done.returncode == 0:
        return True, ""
    if done.returncode < 0:
        return False, f"crashed with {signal.Signals(-done.returncode).name} when a Context was made"
    lines = done.stderr.strip().splitlines()
    return False, lines[-1] if lines else f"exit code {done.returncode}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    return "; ".join(done.stdout.split("\n")).strip("; ") or None if done.returncode == 0 else None

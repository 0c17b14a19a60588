"""Which engine and platform a run uses on this machine."""

from polymd.diagnostics import openmm_platforms, platform_available, torchforce_available
from polymd.simulation.config import Config
from polymd.simulation.engine import Engine
from polymd.simulation.system import MolecularSystem

_GPU_PLATFORM = "CUDA"


def resolve_engine(config: Config) -> Config:
    """Replace `auto` in engine and platform by what is best here.

    With a working CUDA platform and TorchForce, that pair; else PythonForce on the fast CPU engine and
    OpenMM's Reference platform. All work is in the potential, which computes outside OpenMM: the Reference
    platform then only integrates, in float64, for about 20 µs a step at 160 atoms, where the CPU
    platform's threads cost ten times as much.

    Raises
    ------
    ValueError
        When the engine or platform asked for does not work here; says why.
    """
    has_gpu = _GPU_PLATFORM in openmm_platforms() and platform_available(_GPU_PLATFORM)[0]
    engine, platform = config.engine, config.platform
    if engine == "auto":
        torchforce = has_gpu and config.inner_potential is None and torchforce_available()[0]
        engine = "torchforce" if torchforce else "pythonforce"
    elif engine == "torchforce" and not torchforce_available()[0]:
        raise ValueError(
            f"engine 'torchforce' does not work here: {torchforce_available()[1]}; "
            "or use engine pythonforce, which needs only OpenMM"
        )
    if platform == "auto":
        platform = _GPU_PLATFORM if has_gpu and engine == "torchforce" else "Reference"
    elif platform not in openmm_platforms():
        known = ", ".join(["auto", *openmm_platforms()])
        raise ValueError(f"unknown platform {platform!r}; known here: {known}")
    return config.model_copy(update={"engine": engine, "platform": platform})


def make_engine(system: MolecularSystem, config: Config) -> Engine:
    """The engine of a resolved config, holding the system's first positions."""
    if config.engine == "ase":
        from polymd.simulation.ase_engine import ASEEngine

        return ASEEngine(system, config)
    from polymd.simulation.openmm_engine import OpenMMEngine

    return OpenMMEngine(system, config)

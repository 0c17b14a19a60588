"""The TorchForce plugin of OpenMM, loaded whatever was imported first."""

import logging
from types import ModuleType


def import_openmmtorch() -> ModuleType:
    """Import openmmtorch so that its forces work, also when openmm was imported before torch.

    `import openmm` loads every plugin it finds, and that of TorchForce cannot be loaded while torch's
    libraries are not yet in the process; it is then missing from every platform for good. Plugins that failed
    are loaded here again, after torch.

    Raises ImportError where openmmtorch or torch is missing.
    """
    import openmm
    import torch

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # openmmtorch imports simtk, which logs a deprecation
    try:
        import openmmtorch
    finally:
        root.setLevel(level)
    del torch
    for failure in openmm.Platform.getPluginLoadFailures():
        library = failure.removeprefix("Error loading library ").split(":")[0]
        if "OpenMMTorch" in library:
            _load(library)
    module: ModuleType = openmmtorch
    return module


def _load(library: str) -> None:
    """Load a plugin; one for hardware that is not here stays out."""
    import openmm

    try:
        openmm.Platform.loadPluginLibrary(library)
    except openmm.OpenMMException as error:
        logging.getLogger(__name__).debug("plugin %s: %s", library, error)

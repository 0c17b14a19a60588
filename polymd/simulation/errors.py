"""What can end a run early."""

from pathlib import Path


class SimulationError(RuntimeError):
    """The physics or an engine failed while a run was going."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM stopped a run after its checkpoint was written; `resume(path)` goes on."""

    def __init__(self, path: Path, time_fs: float) -> None:
        super().__init__(f"stopped at {time_fs:g} fs")
        self.path = path
        self.time_fs = time_fs

"""One run from a checked config: engines, reporters, checkpoints, flight recorder."""

from polymd.simulation.config import Config
from polymd.simulation.dynamics import resume, simulate
from polymd.simulation.errors import Interrupted, SimulationError
from polymd.simulation.run import Run

__all__ = ["Config", "Interrupted", "Run", "SimulationError", "resume", "simulate"]

"""The progress bar of a run."""

from __future__ import annotations

import time

from polymd.progress import StatusBar
from polymd.simulation.durations import format_duration


class RunProgress(StatusBar):
    """Speed meter and, unless disabled, a rich bar on stderr with temperature, ns/day and time left."""

    def __init__(self, *, total: int, done: int, timestep: float, enabled: bool | None) -> None:
        super().__init__("preparing", total=total, done=done, enabled=enabled)
        self._timestep = timestep
        self._goal = format_duration(total * timestep)
        self._steps = 0
        self._started = time.perf_counter()

    def start(self) -> None:
        """Start the clock of the dynamics."""
        self._bar.update(self._task, description=f"dynamics {self._goal}")
        self._steps, self._started = 0, time.perf_counter()

    def update(self, steps: int, temperature: float) -> None:
        """Add steps done."""
        self._steps += steps
        speed = self.speed
        status = f"{temperature:.0f} K" + (f"  {speed:.3g} ns/day" if speed else "")
        self._bar.update(self._task, advance=steps, status=status)

    def warn(self, text: str) -> None:
        """Print a line on stderr, above the bar."""
        self._bar.console.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)

    @property
    def speed(self) -> float | None:
        """ns/day since `start`, or None before the first step."""
        if self._steps == 0:
            return None
        seconds = time.perf_counter() - self._started
        return self._steps * self._timestep * 1e-6 / seconds * 86400.0

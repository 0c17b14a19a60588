"""The progress bar of a run."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from polymd.simulation.durations import format_duration


class RunProgress(AbstractContextManager["RunProgress"]):
    """Speed meter and, unless disabled, a rich bar on stderr with temperature, ns/day and time left."""

    def __init__(self, *, total: int, done: int, timestep: float, enabled: bool | None) -> None:
        console = Console(stderr=True)
        hidden = not console.is_terminal if enabled is None else not enabled
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=hidden,
        )
        self._task = self._bar.add_task("preparing", total=total, completed=done, status="")
        self._timestep = timestep
        self._goal = format_duration(total * timestep)
        self._steps = 0
        self._started = time.perf_counter()

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

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

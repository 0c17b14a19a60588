"""A progress bar with a line of status, on stderr."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class StatusBar(AbstractContextManager["StatusBar"]):
    """A rich bar of one task; shown on terminals, or always or never as `enabled` says."""

    def __init__(self, description: str, *, total: int, done: int, enabled: bool | None) -> None:
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
        self._task = self._bar.add_task(description, total=total, completed=done, status="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

"""The progress bar of a labelling."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from polymd.datasets.labelling.shards import Shard


class LabelProgress(AbstractContextManager["LabelProgress"]):
    """A rich bar on stderr with the frames kept and dropped in this call."""

    def __init__(self, total: int, done: int, enabled: bool | None) -> None:
        console = Console(stderr=True)
        hidden = not console.is_terminal if enabled is None else not enabled
        self._bar = Progress(
            TextColumn("labelling"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=console,
            disable=hidden,
        )
        self._task = self._bar.add_task("labelling", total=total, completed=done, status="")
        self._kept = self._dropped = self._confident = 0

    def __enter__(self) -> LabelProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def add(self, shard: Shard) -> None:
        """Count a shard that was written."""
        self._kept += len(shard.frames)
        self._dropped += len(shard.failures)
        self._confident += shard.confident
        status = f"{self._kept} frames" + (f", {self._dropped} failures" if self._dropped else "")
        status += f", {self._confident} known" if self._confident else ""
        self._bar.update(self._task, advance=1, status=status)

"""The progress bar of a labelling."""

from __future__ import annotations

from polymd.datasets.labelling.shards import Shard
from polymd.progress import StatusBar


class LabelProgress(StatusBar):
    """A rich bar on stderr with the frames kept and dropped in this call."""

    def __init__(self, total: int, done: int, enabled: bool | None) -> None:
        super().__init__("labelling", total=total, done=done, enabled=enabled)
        self._kept = self._dropped = self._confident = 0

    def add(self, shard: Shard) -> None:
        """Count a shard that was written."""
        self._kept += len(shard.frames)
        self._dropped += len(shard.failures)
        self._confident += shard.confident
        status = f"{self._kept} frames" + (f", {self._dropped} failures" if self._dropped else "")
        status += f", {self._confident} known" if self._confident else ""
        self._bar.update(self._task, advance=1, status=status)

"""What a training says when Ctrl-C stops it."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["stopped"]


def stopped(command: str, config: Path, checkpoint: Path) -> int:
    """Say how `polymd train COMMAND` goes on from its checkpoint, if it has one; the exit code of Ctrl-C."""
    message = (
        f"stopped; go on with: polymd train {command} {config} --resume" if checkpoint.exists() else "stopped"
    )
    typer.echo(message, err=True)
    return 130

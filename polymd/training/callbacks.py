"""Lightning callbacks of a training: its budget with the checkpoints, and its progress bar."""

import multiprocessing
import signal
import time
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from polymd.training.config import TrainingConfig


class Budget(Callback):
    """Counts the used part of the budget, writes checkpoints and stops when nothing is left.

    All processes use the mean of their clocks, so they stop and write after the same step.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.seconds = 0.0  # spent in training, over all restarts
        self._before = self._saved = 0.0
        self._started = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds = float(state_dict["seconds"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._before = self._saved = self.seconds
        self._started = time.monotonic()
        if multiprocessing.parent_process() is not None:
            # The parent's death arrives as this signal, which background jobs of a script ignore.
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        own = self._before + time.monotonic() - self._started
        mean = trainer.strategy.reduce(torch.tensor(own, device=pl_module.device), reduce_op="mean")
        self.seconds = float(mean)
        pl_module.used = self.used(trainer.global_step)  # type: ignore[assignment]

    def used(self, steps: int) -> float:
        """Part of the budget used after so many steps, at most 1."""
        if self.config.steps is not None:
            return min(1.0, steps / self.config.steps)
        return min(1.0, self.seconds / (60.0 * (self.config.minutes or 0.0)))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        pl_module.log("minutes", self.seconds / 60.0)
        done = self.used(trainer.global_step) >= 1.0
        if done or self.seconds - self._saved >= 60.0 * self.config.checkpoint_minutes:
            self._saved = self.seconds
            trainer.save_checkpoint(self.config.checkpoint)
        trainer.should_stop = trainer.should_stop or done


class ProgressBar(Callback):
    """A rich bar on stderr: loss and validation force MAE (eV/Å), atoms a second, time left.

    Hidden where no one looks.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._bar: Progress | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        console = Console(stderr=True)
        if trainer.global_rank or not console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=12),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=600,
        )
        done = self.budget.used(trainer.global_step)
        self._task = self._bar.add_task("training", total=1.0, status="")
        self._bar.update(self._task, completed=done)
        self._loss, self._atoms, self._started = 0.0, 0, time.monotonic()
        self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._bar is None:
            return
        loss = float(outputs["force_error"])
        self._loss = 0.98 * self._loss + 0.02 * loss if self._loss else loss
        self._atoms += len(batch.numbers) * trainer.world_size
        speed = self._atoms / (time.monotonic() - self._started)
        status = f"step {trainer.global_step}, loss {self._loss:.4f}, {speed:.0f} atoms/s"
        error = trainer.callback_metrics.get("validation_force_mae")
        if error is not None:
            status += f", MAE {float(error):.4f}"
        self._bar.update(self._task, completed=self.budget.used(trainer.global_step), status=status)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self._bar is not None:
            self._bar.stop()

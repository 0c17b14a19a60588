"""Training of PolyGET: `train` from a checked config to a model file, `export` from its checkpoint."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.strategies import DDPStrategy, Strategy

from polymd.datasets.frames import LabelledMolecule, read_frames
from polymd.potentials.polyget.model import PolyGET
from polymd.training.batches import FrameTable
from polymd.training.callbacks import Budget, ProgressBar
from polymd.training.checkpoint import check_checkpoint
from polymd.training.families import split_by_family
from polymd.training.potential_config import PotentialConfig
from polymd.training.potential_export import export_model
from polymd.training.potential_module import FramesModule, make_module

__all__ = ["PotentialConfig", "export", "train"]


Molecules = list[LabelledMolecule]


def train(config: PotentialConfig, *, resume: bool = False) -> dict[str, Any]:
    """Train until the budget is spent, then write the model; returns its card.

    With `resume` the run goes on from the last checkpoint in `config.out`, exactly as if it had never
    stopped. Several processes are spawned, so a script that calls this needs `if __name__ ==
    "__main__":`.

    Raises
    ------
    ValueError
        For frames that do not fit, a checkpoint in the way or missing, or one of another config.
    """
    step = check_checkpoint(config, resume)
    training, validation = _read(config)
    module = make_module(config)
    _check_elements(module.network, training + validation)
    table = FrameTable.of(training)
    if len(table) < config.batch:
        raise ValueError(f"batch {config.batch} is more than the {len(table)} training frames; lower it")
    frames = FramesModule(
        config, module.network.cutoff, table, FrameTable.of(validation) if validation else None
    )
    with _quiet():
        _trainer(config, step, bool(validation)).fit(
            module,
            datamodule=frames,
            ckpt_path=config.checkpoint if resume else None,
            weights_only=True,
        )
    return export_model(config, training, validation)


def export(config: PotentialConfig) -> dict[str, Any]:
    """Write the averaged weights of the last checkpoint as a model, trained to the end or not; its card."""
    check_checkpoint(config, resume=True)
    return export_model(config, *_read(config))


def _read(config: PotentialConfig) -> tuple[Molecules, Molecules]:
    molecules = [molecule for path in config.data for molecule in read_frames(path)]
    training, validation = split_by_family(
        molecules,
        config.validation_families,
        config.validation_fraction,
        config.seed,
        config.excluded_families,
    )
    if not training:
        raise ValueError("every family is kept for validation; nothing is left to train on")
    return training, validation


def _check_elements(network: PolyGET, molecules: Molecules) -> None:
    from ase.data import chemical_symbols

    unknown = sorted({int(z) for m in molecules for z in m.numbers} - set(network.elements))
    if unknown:
        names = ", ".join(chemical_symbols[z] for z in unknown)
        known = ", ".join(chemical_symbols[z] for z in network.elements)
        raise ValueError(
            f"the frames hold the element {names}; PolyGET knows {known}: leave those frames out"
        )


def _trainer(config: PotentialConfig, step: int, validate: bool) -> Trainer:
    budget = Budget(config)
    gpu = torch.cuda.is_available()
    if gpu:
        torch.set_float32_matmul_precision("highest")  # no TF32: forces need the digits
    return Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=min(config.processes, torch.cuda.device_count()) if gpu else config.processes,
        strategy=_strategy(config, gpu),
        max_epochs=-1,
        val_check_interval=config.validate_every if validate else None,
        check_val_every_n_epoch=None,
        limit_val_batches=1.0 if validate else 0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        inference_mode=False,
        gradient_clip_val=config.clip,
        log_every_n_steps=50,
        logger=CSVLogger(config.out, name="log", version=f"from-step-{step:07d}"),
        callbacks=[budget, ProgressBar(budget)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _strategy(config: PotentialConfig, gpu: bool) -> Strategy | str:
    if config.processes == 1 or (gpu and torch.cuda.device_count() == 1):
        return "auto"
    return DDPStrategy(
        start_method="spawn",
        process_group_backend="nccl" if gpu else "gloo",
        find_unused_parameters=True,
        broadcast_buffers=False,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's advice, with gloo's greetings on stderr, and with Ctrl-C as what it is."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        except SystemExit as stop:
            raise KeyboardInterrupt from stop
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)

"""Training of a whole property model: the processes, other members and how all are blended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from polymd.properties.blending import blend_all
from polymd.properties.process_training import train_processes
from polymd.properties.property_model import PropertyModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polymd.properties.blending import NetworkFolds
    from polymd.properties.property_model import Member
    from polymd.properties.training_tables import TrainingTable

__all__ = ["Trainer", "train_members"]


class Trainer(Protocol):
    """Trains one member on tables; the second part is what its models of the five folds said, by table."""

    def __call__(
        self, tables: Mapping[str, TrainingTable], *, tell: Callable[[str], None]
    ) -> tuple[Member, dict[str, NetworkFolds]]: ...


def train_members(
    tables: Mapping[str, TrainingTable],
    trainers: Mapping[str, Trainer],
    tell: Callable[[str], None] = lambda _: None,
) -> PropertyModel:
    """Processes of all tables, and a blend of each with members by their key in `property_model.NETWORKS`."""
    members, folds = {}, {}
    for key, train in trainers.items():
        members[key], folds[key] = train(tables, tell=tell)
    processes, held_out = train_processes(tables, tell)
    for name, blend in blend_all(tables, held_out, folds).items():
        processes.processes[name].card["blend"] = blend.card(tables[name])
    return PropertyModel(processes, members)

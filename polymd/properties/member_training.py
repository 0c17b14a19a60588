"""Training of a whole property model: the processes, other members and how all are blended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from polymd.properties.blending import blend_all
from polymd.properties.process_training import train_processes
from polymd.properties.property_model import PropertyModel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from polymd.properties.blending import NetworkFolds
    from polymd.properties.property_model import Member
    from polymd.properties.training_tables import TrainingTable

__all__ = ["Trainer", "keep_beside", "train_members"]


class Trainer(Protocol):
    """Trains one member on tables; the second part is what its models of the five folds said, by table."""

    def __call__(
        self, tables: Mapping[str, TrainingTable], *, tell: Callable[[str], None]
    ) -> tuple[Member, dict[str, NetworkFolds]]: ...


def train_members(
    tables: Mapping[str, TrainingTable],
    trainers: Mapping[str, Trainer],
    tell: Callable[[str], None] = lambda _: None,
    *,
    beside: Collection[str] = (),
) -> PropertyModel:
    """Processes of all tables, and a blend of each with members by their key in `property_model.NETWORKS`.

    Members `beside` are kept with their errors, for trajectories and by name, and are no part of the blend.
    """
    members, folds = {}, {}
    for key, train in trainers.items():
        members[key], folds[key] = train(tables, tell=tell)
    processes, held_out = train_processes(tables, tell)
    cards = processes.cards()
    blended = {key: own for key, own in folds.items() if key not in beside}
    for name, blend in blend_all(tables, held_out, blended).items():
        cards[name]["blend"] = blend.card(tables[name])
    for key in beside:
        for name, alone in blend_all(tables, held_out, {key: folds[key]}).items():
            keep_beside(cards[name], key, alone.card(tables[name]))
    return PropertyModel(processes, members)


def keep_beside(card: dict[str, Any], key: str, alone: dict[str, Any]) -> None:
    """Put errors and calibration of a member into the card of a property, from `Blend.card` of it alone."""
    blend = card.setdefault("blend", {"weights": {"gp": 1.0}, "calibration": {"auto": 1.0}, "errors": {}})
    for part in ("calibration", "errors"):
        blend[part][key] = alone[part][key]

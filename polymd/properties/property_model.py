"""The model of many properties that `predict` uses: Gaussian processes, a network, and how they are blended.

The estimate of a property is the weighted mean of both; its uncertainty is that of the process times a factor
with which nine of ten held-out polymers lie in their interval. The process also says what is in the domain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.fingerprints import graph_fingerprint
from polymd.properties.process_model import ProcessModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from polymd.properties.chain_graph import ChainGraph
    from polymd.properties.estimates import Estimates
    from polymd.properties.mips.trained import MipsModel

__all__ = ["KINDS", "PropertyModel"]

KINDS = ("auto", "gp", "mips")
_FORMAT = "polymd property model"


@dataclass(frozen=True)
class PropertyModel:
    """Everything a file of `polymd train property` holds.

    The card of a property has an entry `blend` where a network was trained for it, see `blending.blend`.
    """

    processes: ProcessModel
    network: MipsModel | None = None

    def names(self, kind: str = "auto") -> list[str]:
        """Properties that it predicts, of `KINDS`."""
        known = list(self.processes.processes)
        if kind != "mips":
            return known
        return [] if self.network is None else [name for name in known if name in self.network.names]

    def card(self, name: str) -> dict[str, Any]:
        """Unit, source, errors and so on of a property's model."""
        return self.processes.processes[name].card

    def predict(
        self, names: Iterable[str], graphs: Sequence[ChainGraph], kind: str = "auto"
    ) -> dict[str, Estimates]:
        """Calibrated estimates for N polymers from the graphs of their smallest repeats."""
        found = self.processes.predict(names, [graph_fingerprint(graph) for graph in graphs])
        blended = [name for name in found if self.model_of(name, kind) != "gp"]
        if self.network is None or not blended:
            return found
        values = self.network.predict(graphs)
        for name in blended:
            blend = self.card(name)["blend"]
            weight = 1.0 if kind == "mips" else blend["weight"]
            mean = (1.0 - weight) * found[name].mean + weight * values[name]
            found[name] = replace(found[name], mean=mean).widened(blend[kind])
        return found

    def model_of(self, name: str, kind: str) -> str:
        """Which model an estimate comes from: `gp`, `mips` or `gp+mips`."""
        blend = self.card(name).get("blend")
        if kind == "gp" or blend is None:
            return "gp"
        if kind == "mips":
            return "mips"
        return "gp+mips" if blend["weight"] > 0.0 else "gp"

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        from safetensors.numpy import save_file

        tensors = {f"gp.{name}": array for name, array in self.processes.tensors().items()}
        about = {"format": _FORMAT, "cards": json.dumps(self.processes.cards())}
        if self.network is not None:
            tensors |= {f"mips.{name}": array for name, array in self.network.tensors().items()}
            about["mips"] = self.network.header()
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path, about)

    @classmethod
    def load(cls, path: Path) -> PropertyModel:
        """Read a file of `save`; raises ValueError where it is none."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(f"{path} is no safetensors file: {error}") from error
        if about.get("format") != _FORMAT:
            raise ValueError(f"{path} is no model of polymd train property; give one of its files")
        processes = ProcessModel.of_tensors(_part(tensors, "gp."), json.loads(about["cards"]))
        if "mips" not in about:
            return cls(processes)
        from polymd.properties.mips.trained import MipsModel

        return cls(processes, MipsModel.of_tensors(_part(tensors, "mips."), about["mips"]))


def _part(tensors: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Those of one prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}

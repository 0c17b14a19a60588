"""The model of many properties that `predict` uses: Gaussian processes, networks, and how they are blended.

The estimate of a property is the weighted mean of its members; its uncertainty is that of the process and the
spread of the members, times a factor with which nine of ten held-out polymers lie in their interval. The
process also says what is in the domain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from polymd.properties.blending import blended_mean
from polymd.properties.process_model import ProcessModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from polymd.properties.estimates import Estimates
    from polymd.properties.read_chain import ReadChain

__all__ = ["KINDS", "NETWORKS", "Member", "PropertyModel"]

#: members of a blend that a file can hold, and the class that reads each: module and name
NETWORKS = {
    "trees": ("polymd.properties.boosting.model", "BoostedModel"),
    "mips": ("polymd.properties.mips.trained", "MipsModel"),
    "mmpolymer": ("polymd.properties.networks.trained", "TrainedNetwork"),
    "two-channel": ("polymd.properties.networks.trained", "TrainedNetwork"),
}
Found = TypeVar("Found")
KINDS = ("auto", "gp", *NETWORKS)
_FORMAT = "polymd property model"


class Member(Protocol):
    """A network, or trees, of a blend; its class reads by `of_tensors(tensors, header)` what it wrote."""

    @property
    def names(self) -> tuple[str, ...]:
        """Properties that it predicts."""

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, NDArray[np.float64]]:
        """Targets of N polymers, each (N,), by property."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All arrays."""

    def header(self) -> str:
        """Everything else, as JSON."""


@dataclass(frozen=True)
class PropertyModel:
    """Everything a file of `polymd train property` holds.

    The card of a property has an entry `blend` where networks were trained for it, see `blending.blend_all`.
    """

    processes: ProcessModel
    networks: Mapping[str, Member] = field(default_factory=dict)  #: by a key of `NETWORKS`

    def names(self, kind: str = "auto") -> list[str]:
        """Properties that it predicts, of `KINDS`."""
        known = list(self.processes.processes)
        if kind in ("auto", "gp"):
            return known
        return [name for name in known if kind in self.networks and name in self.networks[kind].names]

    def card(self, name: str) -> dict[str, Any]:
        """Unit, source, errors and so on of a property's model."""
        return self.processes.processes[name].card

    def prepare(self, names: Iterable[str], kind: str = "auto") -> None:
        """Make what the first prediction makes otherwise: factors of training sets, and members of a file."""
        wanted = list(names)
        with ThreadPoolExecutor(max_workers=1) as pool:
            factors = pool.submit(_on_one_core, self.processes.prepare, wanted)
            for key in self._asked(wanted, kind):
                _ = self.networks[key]  # which imports torch
            factors.result()

    def predict(
        self, names: Iterable[str], chains: Sequence[ReadChain], kind: str = "auto"
    ) -> dict[str, Estimates]:
        """Calibrated estimates for N polymers; two members at once, a core each."""
        weights = {name: self._weights(name, kind) for name in names}
        fingerprints = [chain.fingerprint for chain in chains]
        with ThreadPoolExecutor(max_workers=2) as pool:
            processes = pool.submit(_on_one_core, self.processes.predict, weights, fingerprints)
            asked = {
                key: pool.submit(_on_one_core, self.networks[key].predict, chains)
                for key in reversed(self._asked(weights, kind))  # those that take longest come last
            }
            found = processes.result()
            said = {key: member.result() for key, member in asked.items()}
        for name, weight in weights.items():
            if list(weight) == ["gp"]:
                continue
            members = np.stack([found[name].mean if key == "gp" else said[key][name] for key in weight])
            mean, spread = blended_mean(np.array(list(weight.values())), members)
            deviation = np.hypot(found[name].deviation, spread)
            factor = self.card(name)["blend"]["calibration"][kind]
            found[name] = replace(found[name], mean=mean, deviation=deviation).widened(factor)
        return found

    def model_of(self, name: str, kind: str) -> str:
        """Which models an estimate comes from, such as `gp`, `mips` or `gp+mips`."""
        return "+".join(self._weights(name, kind))

    def _asked(self, names: Iterable[str], kind: str) -> list[str]:
        """Keys of the networks that estimates of properties come from, in the order of `NETWORKS`."""
        used = {key for name in names for key in self._weights(name, kind)}
        return [key for key in NETWORKS if key in used]

    def _weights(self, name: str, kind: str) -> dict[str, float]:
        """Members of the estimate of a property and their weights, none of them 0."""
        if kind != "auto":
            return {kind: 1.0}
        if "blend" not in self.card(name):
            return {"gp": 1.0}
        return {key: weight for key, weight in self.card(name)["blend"]["weights"].items() if weight > 0.0}

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        from safetensors.numpy import save_file

        tensors = {f"gp.{name}": array for name, array in self.processes.tensors().items()}
        about = {"format": _FORMAT, "cards": json.dumps(self.processes.cards())}
        for key, network in self.networks.items():
            tensors |= {f"{key}.{name}": array for name, array in network.tensors().items()}
            about[key] = network.header()
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path, about)

    @classmethod
    def load(cls, path: Path) -> PropertyModel:
        """Read a file of `save`, its networks when they are first asked for; ValueError where it is none."""
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
        return cls(processes, _StoredMembers(tensors, about))


class _StoredMembers(Mapping[str, Member]):
    """Members of a file, each made when it is first asked for: no blend waits for what stands beside it."""

    def __init__(self, tensors: dict[str, NDArray[Any]], about: Mapping[str, str]) -> None:
        self._tensors, self._about = tensors, about
        self._made: dict[str, Member] = {}

    def __getitem__(self, key: str) -> Member:
        if key not in self._made:
            header, (module, name) = self._about[key], NETWORKS[key]
            reader = getattr(import_module(module), name)
            self._made[key] = reader.of_tensors(_part(self._tensors, f"{key}."), header)
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key in NETWORKS if key in self._about)

    def __len__(self) -> int:
        return len(list(iter(self)))


def _on_one_core(work: Callable[..., Found], *given: Any) -> Found:
    """What some work gives, without threads of its own: OpenMP counts them anew in every thread."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        return work(*given)


def _part(tensors: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Those of one prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}

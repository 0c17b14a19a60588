"""What a family of networks must offer to be trained, tested and shipped by the code of this package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from polymd.properties.networks.conformers import Conformers
    from polymd.properties.networks.taught_pool import TaughtPool
    from polymd.properties.read_chain import ReadChain

__all__ = [
    "PHYSICS_SHARES",
    "Batch",
    "Course",
    "NetworkKind",
    "check_modalities",
    "fastest_device",
    "mixed_precision",
    "physics_of",
]

PHYSICS_SHARES = (1.0, 4.0, 16.0)  #: of what is computed of a chain, to 1 of what a network says of it


class Batch(Protocol):
    """B polymers as tensors, side by side."""

    def to(self, device: torch.device) -> Self:
        """The same on a device."""


@dataclass(frozen=True)
class Course:
    """A part of a pre-training."""

    name: str  #: of its checkpoint
    kind: NetworkKind
    chains: list[str]
    share: float  #: of the budget


class NetworkKind(ABC):
    """A family of networks with its sizes.

    Networks are modules whose `forward(batch)` gives standardised targets (B, T). What differs between two
    kinds is how polymers are read, what a batch holds and what is learnt without labels.
    """

    key: ClassVar[str]  #: name on the command line and in files
    pretraining_parts: ClassVar[tuple[str, ...]] = ()  #: beginnings of names of weights that predict nothing
    head_parts: ClassVar[tuple[str, ...]] = ("head.",)  #: and of those that a kernel takes the place of
    shares: ClassVar[tuple[Mapping[str, float], ...]] = ()  #: of views in the distance, for each kernel

    @property
    def sees_space(self) -> bool:
        """Whether positions change what it says."""
        return False

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The sizes, for the header of a file; `kinds.kind_of(key, sizes)` makes the kind of them."""

    @abstractmethod
    def prepare(self, psmiles: Sequence[str], tell: Callable[[str], None] = lambda _: None) -> list[Any]:
        """A sample for every P-SMILES, None for one that cannot be read.

        Give canonical chains wherever all spellings of a chain are to have the same sample.
        """

    def prepare_chains(self, chains: Sequence[ReadChain]) -> list[Any]:
        """A sample for every chain, the same for all spellings of it."""
        return self.prepare([chain.canonical for chain in chains])

    @abstractmethod
    def size(self, sample: Any) -> int:
        """How long a sample is; samples of similar size are put into a batch."""

    @abstractmethod
    def collate(self, samples: Sequence[Any], rng: np.random.Generator | None = None) -> Batch:
        """A batch of samples with as many conformers each; `rng` draws what training draws every time."""

    @abstractmethod
    def build(self, targets: int) -> nn.Module:
        """A network of random weights for so many targets."""

    @abstractmethod
    def pretraining_loss(self, network: Any, batch: Any, rng: np.random.Generator) -> Tensor:
        """The loss without labels, a scalar; the batch is where the network is."""

    def views(self, network: Any, batch: Any) -> dict[str, Tensor]:
        """What the network says of B polymers, each (B, numbers); a kernel compares polymers by it."""
        raise ValueError(f"{self.key!r} has no views; allowed: mmpolymer, two-channel; fix: train one")

    def placed(self, psmiles: str, conformers: Conformers | None) -> Any:
        """The sample of a unit with conformers of one's own, in the order of its P-SMILES, stars included.

        Raises ValueError for kinds that take none.
        """
        raise ValueError(
            f"{self.key!r} takes no positions; allowed: mmpolymer, two-channel, mips with --shape; "
            "fix: train one"
        )

    def keeping(self, path: Path, conformers: int) -> NetworkKind:
        """The same kind with a file for what takes long to make, so many conformers a unit."""
        return self

    def courses(self, pool: TaughtPool, placed: int) -> list[Course]:
        """The pre-training on a pool, in the order in which each course goes on from the one before.

        `placed` is how many of its chains may be given conformers, which take long to make.
        """
        return [Course("pretraining", self, pool.chains, 1.0)]

    def start(self, targets: int, pretrained: nn.Module | None, seed: int) -> nn.Module:
        """A network whose weights but those of the head are the pre-trained ones, where there are any."""
        torch.manual_seed(seed)
        network = self.build(targets)
        if pretrained is not None:
            known = {k: v for k, v in pretrained.state_dict().items() if not k.startswith("head.")}
            network.load_state_dict(known, strict=False)
        return network

    def set_scales(self, network: Any, samples: Sequence[Any]) -> None:  # noqa: B027  # not all have any
        """Keep in the network the scales of what the samples to train on are described by; no labels."""


def check_modalities(asked: str, known: Sequence[str]) -> None:
    """Raise ValueError where a network is asked for modalities that its kind does not know."""
    if asked not in known:
        raise ValueError(f"no modalities {asked!r}; allowed: {', '.join(known)}; fix: take one of them")


@lru_cache(maxsize=8192)
def physics_of(psmiles: str) -> NDArray[np.float32]:
    """`Fingerprint.physics` (28,) of a chain, read once: in training it comes back in every fold."""
    from polymd.properties.bands import band_features
    from polymd.properties.chain_graph import chain_graph
    from polymd.properties.contributions import contributions
    from polymd.repeats import shortened

    graph = chain_graph(shortened(psmiles))
    return np.concatenate([band_features(graph), contributions(graph)]).astype(np.float32)


def fastest_device() -> torch.device:
    """A CUDA device where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def mixed_precision() -> torch.autocast:
    """Matrix products in bfloat16 while training, where the device has instructions for them.

    On a processor with AVX-512 BF16 a step takes half the time.
    """
    device = fastest_device().type
    able = torch.cuda.is_bf16_supported() if device == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device, torch.bfloat16, enabled=able)

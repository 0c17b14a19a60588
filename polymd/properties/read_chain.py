"""A polymer that is read once for all the models that look at it; many are read by a process of their own.

Reading is mostly Python, so that a thread would not do it beside anything else. `python -m
polymd.properties.read_chain` reads a JSON list of P-SMILES from standard input and writes the chains as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.chain_graph import ChainGraph, chain_graph
from polymd.properties.fingerprints import Fingerprint, graph_fingerprint
from polymd.repeats import canonical_chain, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MANY", "ReadChain", "read_chains", "reading"]

MANY = 300  #: polymers, for which a process of their own pays
_HERE = 0.3  # share of them that is read here all the same, when the models are loaded and prepared
_GRAPH = ("atoms", "edges", "images", "orders")
_COUNTS = ("environments", "bonds", "paths")
_NUMBERS = ("descriptors", "bands", "contributions")


class ReadChain:
    """The smallest repeat of a P-SMILES; raises PSmilesError as `polymd.psmiles.parse`."""

    def __init__(self, psmiles: str) -> None:
        self.psmiles = shortened(psmiles)
        self.graph: ChainGraph = chain_graph(self.psmiles)

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> ReadChain:
        """What `record` was made of."""
        chain = cls.__new__(cls)
        chain.psmiles = record["psmiles"]
        graph, found = record["graph"], record["fingerprint"]
        arrays = {name: np.array(graph[name], dtype=np.int64) for name in _GRAPH}
        chain.graph = ChainGraph(**arrays, backbone=np.array(graph["backbone"], dtype=np.bool_))
        fields: dict[str, Any] = {name: dict(zip(*found[name], strict=True)) for name in _COUNTS}
        fields |= {name: np.array(found[name], dtype=np.float64) for name in _NUMBERS}
        fields |= {"n_atoms": found["n_atoms"], "elements": frozenset(found["elements"])}
        chain.__dict__["fingerprint"] = Fingerprint(**fields)
        return chain

    def record(self) -> dict[str, Any]:
        """Graph and fingerprint, ready for JSON, whose decimal numbers read back to the last bit."""
        graph, found = self.graph, self.fingerprint
        return {
            "psmiles": self.psmiles,
            "graph": {name: getattr(graph, name).tolist() for name in (*_GRAPH, "backbone")},
            "fingerprint": {
                **{name: [*zip(*getattr(found, name).items(), strict=True)] for name in _COUNTS},
                **{name: getattr(found, name).tolist() for name in _NUMBERS},
                "n_atoms": found.n_atoms,
                "elements": sorted(found.elements),
            },
        }

    @cached_property
    def canonical(self) -> str:
        """One P-SMILES for all spellings of the chain."""
        return canonical_chain(self.psmiles)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """The same for all spellings of the chain."""
        return graph_fingerprint(self.graph)


def read_chains(polymers: Sequence[str]) -> list[ReadChain]:
    """Read polymers; the ValueError of one that cannot be read says which one it was."""
    found = []
    for number, psmiles in enumerate(polymers, start=1):
        try:
            found.append(ReadChain(psmiles))
        except ValueError as error:
            if len(polymers) == 1:
                raise
            raise ValueError(f"polymer {number} of {len(polymers)}: {error}") from error
    return found


@contextmanager
def reading(polymers: Sequence[str]) -> Iterator[Callable[[], list[ReadChain]]]:
    """Begin to read polymers and their fingerprints; what is yielded waits for them.

    Where they are many another process does most of it meanwhile. If it fails they are read here, for the
    error of `read_chains`.
    """
    if len(polymers) < MANY:
        chains = read_chains(polymers)
        yield lambda: chains
        return
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", ReadChain.__module__]
    split = round((1.0 - _HERE) * len(polymers))
    given = json.dumps(list(polymers[:split])).encode()
    with (
        ThreadPoolExecutor(max_workers=1) as waiting,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=os.environ | alone) as beside,
    ):
        written = waiting.submit(beside.communicate, given)

        def wait() -> list[ReadChain]:
            try:
                rest = read_chains(polymers[split:])
            except ValueError:
                return read_chains(polymers)  # which counts from the first
            for chain in rest:
                _ = chain.fingerprint
            output = written.result()[0]
            if beside.returncode:
                return read_chains(polymers)
            return [*map(ReadChain.of_record, json.loads(output)), *rest]

        try:
            yield wait
        finally:
            beside.kill()  # where nobody waited


def _main() -> None:
    """Read what standard input names."""
    json.dump([chain.record() for chain in read_chains(json.load(sys.stdin))], sys.stdout)


if __name__ == "__main__":
    _main()

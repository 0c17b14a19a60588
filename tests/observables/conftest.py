"""Chains of which the observables are known on paper."""

from collections.abc import Callable

import mdtraj
import numpy as np
import pytest
from numpy.typing import NDArray

Build = Callable[..., mdtraj.Trajectory]


@pytest.fixture
def trajectory() -> Build:
    """A trajectory from `(F, C, n, 3)` positions in Å: C chains of n atoms of the given elements."""

    def build(positions: NDArray[np.float64], symbols: list[str] | None = None) -> mdtraj.Trajectory:
        frames, chains, atoms, _ = positions.shape
        topology = mdtraj.Topology()
        for _ in range(chains):
            residue = topology.add_residue("UNK", topology.add_chain())
            for symbol in symbols or ["C"] * atoms:
                topology.add_atom(symbol, mdtraj.element.get_by_symbol(symbol), residue)
        return mdtraj.Trajectory(positions.reshape(frames, -1, 3) / 10.0, topology)

    return build

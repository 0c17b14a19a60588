"""Barostats on a system whose distribution of volumes is known: a box of springs with ideal atoms in it."""

from typing import Literal

import numpy as np
import pytest
from ase import Atoms

from polymd.integrators import ase_dynamics, make_barostat
from polymd.integrators.barostats import Float
from polymd.integrators.cell_rescaling import CellChangeError
from polymd.testing import EDGE_RTOL
from polymd.units import BAR, KB

N, TEMPERATURE, PRESSURE = 8, 300.0, 1000.0 * BAR
KT = KB * TEMPERATURE
LENGTH, STIFFNESS = 10.0, 0.3  # Å, eV/Å²


class SpringBox:
    """U = ½ k Σ_a (L_a - L_0)², whatever the atoms do."""

    def __init__(self) -> None:
        self.positions = np.random.default_rng(0).uniform(0.0, LENGTH, (N, 3))
        self.cell = LENGTH * np.eye(3)

    def geometry(self) -> tuple[Float, Float]:
        """Positions and cell."""
        return self.positions, self.cell

    def energy(self) -> float:
        """eV."""
        return float(0.5 * STIFFNESS * ((np.diag(self.cell) - LENGTH) ** 2).sum())

    def stress(self) -> Float:
        """V σ_aa = dU/dε_a = k (L_a - L_0) L_a."""
        edges = np.diag(self.cell)
        return np.diag(STIFFNESS * (edges - LENGTH) * edges) / float(edges.prod())

    def move(self, positions: Float, cell: Float) -> None:
        """Put atoms and cell."""
        self.positions, self.cell = positions, cell


def exact(anisotropic: bool) -> tuple[float, float]:
    """Mean and standard deviation of an edge under exp(-(U + PV)/kT) V^N dL_x dL_y dL_z, or dV."""
    x = np.linspace(0.7 * LENGTH, 1.4 * LENGTH, 201)
    if anisotropic:
        a, b, c = np.meshgrid(x, x, x, indexing="ij", sparse=True)
        volume, energy = a * b * c, (a - LENGTH) ** 2 + (b - LENGTH) ** 2 + (c - LENGTH) ** 2
        log = N * np.log(volume)
    else:
        volume, energy = x**3, 3.0 * (x - LENGTH) ** 2
        log = N * np.log(volume) + 2.0 * np.log(x)
    log = log - (0.5 * STIFFNESS * energy + PRESSURE * volume) / KT
    weight = np.exp(log - log.max())
    marginal = weight.sum(axis=(1, 2)) if anisotropic else weight
    mean = (marginal * x).sum() / marginal.sum()
    return float(mean), float(np.sqrt((marginal * (x - mean) ** 2).sum() / marginal.sum()))


@pytest.mark.parametrize("anisotropic", [False, True])
@pytest.mark.parametrize("name", ["scr", "mc"])
def test_the_edges_have_their_exact_distribution(name: Literal["scr", "mc"], anisotropic: bool) -> None:
    barostat = make_barostat(
        name, PRESSURE, TEMPERATURE, 1.0, np.random.default_rng(5), anisotropic=anisotropic
    )
    system, edges = SpringBox(), []
    for _ in range(25_000 if name == "mc" else 60_000):
        barostat.apply(system)
        edges.append(np.diag(system.cell))
    sample = np.array(edges[1000:])
    mean, width = exact(anisotropic)
    print(sample.mean(axis=0), mean, sample.std(axis=0), width)
    assert sample.mean() == pytest.approx(mean, rel=EDGE_RTOL)
    assert sample.std(axis=0).mean() == pytest.approx(width, rel=10 * EDGE_RTOL)
    if not anisotropic:
        assert np.ptp(sample, axis=1).max() < 1e-9 * LENGTH


def test_molecules_move_as_wholes() -> None:
    """Bonds keep their length under Monte Carlo moves, the centres scale with the cell."""
    barostat = make_barostat(
        "mc", PRESSURE, TEMPERATURE, 1.0, np.random.default_rng(1), molecules=np.repeat(np.arange(4), 2)
    )
    system = SpringBox()
    before = system.positions[1::2] - system.positions[::2]
    centres = (system.positions[1::2] + system.positions[::2]) / system.cell[0, 0]
    for _ in range(50):
        barostat.apply(system)
    assert system.cell[0, 0] != LENGTH
    np.testing.assert_allclose(system.positions[1::2] - system.positions[::2], before, atol=1e-10)
    after = (system.positions[1::2] + system.positions[::2]) / system.cell[0, 0]
    np.testing.assert_allclose(after, centres, atol=1e-10)


def test_bad_choices_are_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="'berendsen'; known: scr, mc"):
        make_barostat("berendsen", PRESSURE, TEMPERATURE, 1.0, rng)  # type: ignore[arg-type]
    flat, skew = SpringBox(), SpringBox()
    flat.cell = np.zeros((3, 3))
    skew.cell = LENGTH * np.array([[1.0, 0.0, 0.0], [0.2, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(ValueError, match="no volume"):
        make_barostat("mc", PRESSURE, TEMPERATURE, 1.0, rng).apply(flat)
    with pytest.raises(ValueError, match="rectangular"):
        make_barostat("scr", PRESSURE, TEMPERATURE, 1.0, rng, anisotropic=True).apply(skew)
    with pytest.raises(CellChangeError, match="would change an edge"):
        make_barostat("scr", 1e4 * PRESSURE, TEMPERATURE, 1.0, rng).apply(SpringBox())
    with pytest.raises(ValueError, match="npt, and only npt"):
        ase_dynamics(Atoms("H"), "npt", TEMPERATURE, 1.0, rng)

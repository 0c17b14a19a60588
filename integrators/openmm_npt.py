"""Constant pressure in OpenMM: a barostat between the steps of any integrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from polymd.integrators.barostats import Barostat, Float
from polymd.units import EV_KJ_MOL

if TYPE_CHECKING:
    import openmm

_NM = 0.1  # nm in an Å


class ContextCell:
    """An OpenMM context as the `PeriodicSystem` of a barostat.

    `stress` gives the stress (3, 3) in eV/Å³ of positions (N, 3) and cell (3, 3) in Å; OpenMM's forces do not
    tell. Monte Carlo does without.
    """

    def __init__(self, context: openmm.Context, stress: Callable[[Float, Float], Float]) -> None:
        self.context, self._stress = context, stress

    def geometry(self) -> tuple[Float, Float]:
        """Positions and cell."""
        state = self.context.getState(positions=True)
        cell = state.getPeriodicBoxVectors(asNumpy=True)._value
        return np.asarray(state.getPositions(asNumpy=True)._value) / _NM, np.asarray(cell) / _NM

    def energy(self) -> float:
        """Potential energy, eV."""
        return float(self.context.getState(energy=True).getPotentialEnergy()._value / EV_KJ_MOL)

    def stress(self) -> Float:
        """Stress (3, 3), eV/Å³."""
        return self._stress(*self.geometry())

    def move(self, positions: Float, cell: Float) -> None:
        """Put atoms and cell."""
        self.context.setPeriodicBoxVectors(*(cell * _NM))
        self.context.setPositions(positions * _NM)


class BarostattedContext:
    """Steps of a context with a barostat between them.

    Parameters
    ----------
    context, integrator
        The integrator of the context, which holds the temperature; the very object that made the context, for
        `context.getIntegrator()` forgets what was written in Python.
    barostat
        Changes the cell every `barostat.interval` steps.
    stress
        See `ContextCell`; needed by `scr`.

    Attributes
    ----------
    steps_done
        Steps since the start of the run, which decide when the barostat acts.
    """

    def __init__(
        self,
        context: openmm.Context,
        integrator: openmm.Integrator,
        barostat: Barostat,
        stress: Callable[[Float, Float], Float],
    ) -> None:
        self.context, self.integrator, self.barostat = context, integrator, barostat
        self.steps_done = 0
        self._system = ContextCell(context, stress)

    def step(self, steps: int) -> None:
        """Do this many steps."""
        interval = self.barostat.interval
        end = self.steps_done + steps
        while self.steps_done < end:
            piece = min(end - self.steps_done, interval - self.steps_done % interval)
            self.integrator.step(piece)
            self.steps_done += piece
            if self.steps_done % interval == 0:
                self.barostat.apply(self._system)

"""The physics suite on both backends of PolyGET."""

from polymd import testing
from polymd.potentials import PolyGETCalculator

from .potential_suite import PotentialSuite


class TestReference(PotentialSuite):
    @staticmethod
    def make() -> PolyGETCalculator:
        return PolyGETCalculator(backend="torch")

    cutoff = 5.0
    symmetry = testing.SYMMETRY_ATOL64
    force_step = 1e-4
    force_limit = testing.FORCE_RTOL64
    cutoff_limit = testing.CUTOFF_ATOL


class TestEngine(PotentialSuite):
    @staticmethod
    def make() -> PolyGETCalculator:
        return PolyGETCalculator(backend="numba")

    cutoff = 5.0
    symmetry = testing.SYMMETRY_ATOL32
    force_step = 3e-3
    force_limit = testing.FORCE_RTOL32
    cutoff_limit = testing.SYMMETRY_ATOL32

"""Pressures as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymd.simulation.pressures import format_pressure, parse_pressure
from polymd.units import BAR


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("1bar", 1.0),
        (" 1 atm", 1.01325),
        ("10MPa", 100.0),
        ("-0.5kbar", -500.0),
        ("1e5Pa", 1.0),
        ("0bar", 0.0),
    ],
)
def test_pressures_are_read(text: str, bars: float) -> None:
    assert parse_pressure(text) == pytest.approx(bars * BAR, rel=1e-15)


def test_a_bar_is_small_in_atomic_units() -> None:
    assert pytest.approx(160.2177, rel=1e-6) == 1e-4 / BAR  # GPa in 1 eV/Å³


@pytest.mark.parametrize("text", ["1", "", "bar", "1 mbar", "1e9bar", "nanbar", 1.0, None, True])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1bar"):
        parse_pressure(text)


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_a_pressure_survives_writing_and_reading(bars: float) -> None:
    assert parse_pressure(format_pressure(bars * BAR)) == bars * BAR

"""Times as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymd.simulation.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "femtoseconds"),
    [
        ("2ps", 2000.0),
        ("500fs", 500.0),
        ("1ns", 1e6),
        ("1us", 1e9),
        (" .5 ps ", 500.0),
        ("1e-3ns", 1000.0),
        (2, 2.0),
    ],
)
def test_times_are_read(text: str | float, femtoseconds: float) -> None:
    assert parse_duration(text) == pytest.approx(femtoseconds, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["2", "", "ps", "2 p s", "-1ps", "0fs", "1e999ns", "nanps", "inf", "2ms", True, None, -1, float("nan")],
)
def test_nonsense_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="2ps"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_a_clear_error(text: str) -> None:
    try:
        problem = "" if parse_duration(text) > 0 else "not positive"
    except ValueError as error:
        problem = str(error).replace(repr(text), "")[:3]
    assert problem in ("", " is")


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_a_time_survives_writing_and_reading(femtoseconds: float) -> None:
    assert parse_duration(format_duration(femtoseconds)) == femtoseconds


def test_the_shortest_text_is_written() -> None:
    assert [format_duration(x) for x in (2000.0, 500.0, 1e6, 1.5e6)] == ["2ps", "500fs", "1ns", "1.5ns"]

"""Numbers, names and the drawing."""

import pytest

from polymd.report import tables


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.3456, 0.123, "12.35 ± 0.12"),
        (-1226.913, 1.04, "−1226.9 ± 1.0"),
        (1234.5, 25.0, "1234 ± 25"),
        (0.98765, 0.0004, "0.98765 ± 0.00040"),
        (300.0, None, "300"),
        (300.123456, 0.0, "300.12"),
    ],
)
def test_digits_follow_the_error(value: float, error: float | None, text: str) -> None:
    assert tables.with_error(value, error) == text


def test_unknown_observables_are_shown_too() -> None:
    rows = tables.results({"glass_transition": {"value": 373.0, "error": 8.0, "unit": "K"}, "histogram": [1]})
    assert rows.count("<tr>") == 1
    assert "Glass transition" in rows


def test_nested_settings_are_named_by_their_path() -> None:
    rows = tables.settings(
        {"thermostat": {"friction": 1.0}, "list": [1, 2], "density": None, "command": "no"}
    )
    assert "thermostat.friction" in rows
    assert "1, 2" in rows
    assert "–" in rows
    assert "command" not in rows


def test_command_given_as_arguments_is_quoted() -> None:
    assert tables.command({"command": ["polymd", "run", "*CC*"]}) == "polymd run &#x27;*CC*&#x27;"
    assert "from Python" in tables.command({})


def test_drawing_follows_the_colour_of_the_text() -> None:
    svg = tables.drawing("*CC(*)c1ccccc1")
    assert svg.startswith("<svg")
    assert "currentColor" in svg
    assert "#FFFFFF" not in svg
    assert tables.drawing("not one") == ""

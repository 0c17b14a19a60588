"""Pressures as people write them: `1bar`, `10MPa`, `1atm`."""

import re

from polymd.units import BAR

_BARS = {"bar": 1.0, "kbar": 1e3, "atm": 1.01325, "Pa": 1e-5, "kPa": 1e-2, "MPa": 10.0, "GPa": 1e4}
_PATTERN = re.compile(rf"\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*({'|'.join(_BARS)})\s*")
_LARGEST = 1e6  # bar


def parse_pressure(text: str) -> float:
    """A pressure in eV/Å³, from a number with its unit: bar, kbar, atm, Pa, kPa, MPa or GPa.

    A bare number is refused, for 1 eV/Å³ is 160 GPa and 1 bar is what somebody means.

    Raises
    ------
    ValueError
        For anything else, and for more than 1 million bar of pressure or tension.
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r} is not a pressure; write a number and one of {', '.join(_BARS)}, such as 1bar"
        )
    bars = float(match[1]) * _BARS[match[2]]
    if not abs(bars) <= _LARGEST:
        raise ValueError(f"{text!r} is more than {_LARGEST:g} bar; write for example 1bar")
    return bars * BAR


def format_pressure(pressure: float) -> str:
    """Text in bar that reads back as exactly the same pressure of eV/Å³."""
    bars = pressure / BAR
    for digits in (6, 12, 15, 16, 17):
        text = f"{bars:.{digits}g}bar"
        if parse_pressure(text) == pressure:
            return text
    return f"{bars!r}bar"

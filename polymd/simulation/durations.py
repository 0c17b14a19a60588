"""Times as people write them: `2ps`, `500fs`, `1ns`."""

import re

_FEMTOSECONDS = {"fs": 1.0, "ps": 1e3, "ns": 1e6, "us": 1e9}
_PATTERN = re.compile(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*(fs|ps|ns|us)\s*")


def parse_duration(text: str | float) -> float:
    """A time in fs.

    Parameters
    ----------
    text
        Number and unit (`fs`, `ps`, `ns`, `us`), or a bare number, which is fs already.

    Raises
    ------
    ValueError
        For anything else, a time that is not positive included.
    """
    if isinstance(text, str):
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a time; write a number and one of fs, ps, ns, us, such as 2ps")
        value = float(match[1]) * _FEMTOSECONDS[match[2]]
    elif isinstance(text, int | float) and not isinstance(text, bool):
        value = float(text)
    else:
        raise ValueError(f"{text!r} is not a time; write a number and one of fs, ps, ns, us, such as 2ps")
    if not 0.0 < value < float("inf"):
        raise ValueError(f"{text!r} is not a positive, finite time; write for example 2ps")
    return value


def format_duration(femtoseconds: float) -> str:
    """The shortest of `1.5ns`, `1500ps`, ... that reads back as exactly the same time."""
    texts = [f"{femtoseconds / scale:.15g}{unit}" for unit, scale in _FEMTOSECONDS.items()]
    exact = [text for text in texts if parse_duration(text) == femtoseconds]
    return min(exact, key=len, default=f"{femtoseconds!r}fs")

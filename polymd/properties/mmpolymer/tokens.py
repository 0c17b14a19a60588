"""P-SMILES as tokens: atoms, bonds, branches, ring numbers; bracket atoms are spelt out.

Spelling bracket atoms out, `[SiH2]` as `[ Si H 2 ]`, keeps the vocabulary small and whole: it holds every
SMILES that RDKit writes, so that nothing is ever unknown.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["CLASS", "END", "MASK", "PAD", "decode", "encode", "tokenise", "vocabulary"]

PAD, CLASS, END, MASK = range(4)  #: ids of the special tokens: filling, first, last, hidden
_SPECIAL = ("<pad>", "<cls>", "<end>", "<mask>")
_ORGANIC = ("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I", "b", "c", "n", "o", "p", "s")
_AROMATIC = ("b", "c", "n", "o", "p", "s", "se", "as", "te", "si")  # in brackets
_SIGNS = ("*", "(", ")", "-", "=", "#", "$", ":", "/", "\\", "~", ".", "%", "[", "]", "@", "+")
_DIGITS = tuple("0123456789")
_BRACKET = re.compile(r"(\[[^\[\]]*\])")


def tokenise(psmiles: str) -> list[str]:
    """Split a P-SMILES into tokens that give it back when they are joined.

    Raises
    ------
    ValueError
        A character that no SMILES has.
    """
    tokens: list[str] = []
    for part in _BRACKET.split(psmiles):
        pattern = _inside() if _BRACKET.fullmatch(part) else _outside()
        found = pattern.findall(part)
        if len("".join(found)) != len(part):
            bad = pattern.sub("", part)
            raise ValueError(
                f"bad P-SMILES {psmiles!r}: no token begins with {bad[0]!r}; allowed: elements, bonds, "
                "branches, ring numbers and brackets of SMILES; fix: write it as RDKit does"
            )
        tokens += found
    return tokens


def encode(psmiles: str) -> NDArray[np.int64]:
    """Ids (L,) of the tokens between those of beginning and end; raises ValueError as `tokenise`."""
    known = vocabulary()
    return np.array([CLASS, *(known[token] for token in tokenise(psmiles)), END], dtype=np.int64)


def decode(ids: Iterable[int]) -> str:
    """The text of ids, special tokens left out."""
    names = list(vocabulary())
    return "".join(names[i] for i in ids if i >= len(_SPECIAL))


@cache
def vocabulary() -> dict[str, int]:
    """Id of every token."""
    tokens = dict.fromkeys((*_SPECIAL, *_ORGANIC, *_AROMATIC, *_SIGNS, *_DIGITS, *_elements()))
    return {token: i for i, token in enumerate(tokens)}


@cache
def _elements() -> tuple[str, ...]:
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    return tuple(table.GetElementSymbol(number) for number in range(1, 119))


@cache
def _outside() -> re.Pattern[str]:
    """Tokens outside of brackets."""
    return _any_of((*_ORGANIC, *_SIGNS, *_DIGITS))


@cache
def _inside() -> re.Pattern[str]:
    """Tokens of a bracket atom."""
    return _any_of((*_elements(), *_AROMATIC, *_SIGNS, *_DIGITS))


def _any_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """The longest that fits."""
    return re.compile("|".join(re.escape(token) for token in sorted(set(tokens), key=len, reverse=True)))

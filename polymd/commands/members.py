"""Members of a blend as they are named on the command line."""

from __future__ import annotations

from typing import Any

__all__ = ["AUTO", "MEMBERS_HELP", "read_members"]

AUTO = "trees,mips,two-channel:graph"  #: the members of the shipped blend beside the Gaussian process
MEMBERS_HELP = (
    "gp: Gaussian process; trees, mips, mmpolymer, two-channel: these too, and the blend; several with "
    "commas. mmpolymer:text, mmpolymer:structure and two-channel:graph see but that. auto: " + AUTO + "."
)
_WITH_MODALITIES = ("mmpolymer", "two-channel")


def read_members(text: str) -> dict[str, dict[str, Any]]:
    """Names with the sizes that are asked for, without the process: "trees,mmpolymer:text".

    Raises
    ------
    ValueError
        No such member, or one that has no modalities to choose from.
    """
    from polymd.properties.property_model import NETWORKS

    found: dict[str, dict[str, Any]] = {}
    for part in (AUTO if text == "auto" else text).split(","):
        name, _, modalities = part.strip().partition(":")
        if name not in ("gp", *NETWORKS):
            raise ValueError(
                f"no model {name!r}; allowed: auto, gp, {', '.join(NETWORKS)}, or several with commas; "
                "fix: take one of them"
            )
        if modalities and name not in _WITH_MODALITIES:
            raise ValueError(
                f"{name!r} has no modalities; allowed: {', '.join(_WITH_MODALITIES)}; fix: {name} alone"
            )
        if name != "gp":
            found[name] = {"modalities": modalities} if modalities else {}
    return found

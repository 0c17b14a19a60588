"""All kinds of networks that are trained and shipped by the code of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polymd.properties.networks.kind import NetworkKind

__all__ = ["kind_of"]


def kind_of(key: str, sizes: dict[str, Any]) -> NetworkKind:
    """The kind of a name and sizes as in `NetworkKind.as_dict`; raises ValueError where there is none."""
    if key == "mmpolymer":
        from polymd.properties.mmpolymer.kind import MMPolymerKind

        return MMPolymerKind.of(sizes)
    if key == "two-channel":
        from polymd.properties.two_channel.kind import TwoChannelKind

        return TwoChannelKind.of(sizes)
    raise ValueError(f"no kind of network {key!r}; allowed: mmpolymer, two-channel; fix: take one of them")

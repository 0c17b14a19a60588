"""Members of a blend as they are named on the command line."""

import pytest

from polymd.commands.members import read_members
from polymd.properties.property_model import NETWORKS


def test_members_are_read_with_their_modalities() -> None:
    assert read_members("gp") == {}
    assert read_members("gp, trees,mmpolymer:text") == {"trees": {}, "mmpolymer": {"modalities": "text"}}
    assert read_members(",".join(NETWORKS)) == {name: {} for name in NETWORKS}
    assert read_members("auto")["two-channel"] == {"modalities": "graph"}


@pytest.mark.parametrize("text", ["forest", "", "trees,", "auto,gp"])
def test_unknown_members_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no model '.*'; allowed: auto, gp, trees, mips, mmpolymer"):
        read_members(text)


def test_not_all_have_modalities() -> None:
    with pytest.raises(ValueError, match="'mips' has no modalities; allowed: mmpolymer, two-channel"):
        read_members("mips:graph")

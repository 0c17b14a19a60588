import shutil
from pathlib import Path

import numpy as np
import pytest

from polymd import potentials
from polymd.potentials import registry


def test_the_shipped_model_is_there() -> None:
    assert "polyget" in potentials.available()
    assert registry.elements("polyget") == [1, 6, 7, 8, 9, 14, 16, 17]
    assert potentials.load("polyget").elements == [1, 6, 7, 8, 9, 14, 16, 17]


def test_an_unknown_name_says_what_is_known() -> None:
    with pytest.raises(ValueError, match=r'unknown potential "polygte"; known: .*did you mean "polyget"'):
        potentials.load("polygte")
    with pytest.raises(ValueError, match="no model file"):
        registry.find("nowhere.safetensors")


def test_unknown_elements_are_named() -> None:
    with pytest.raises(ValueError, match="does not know the element Br; it knows H, C, N, O, F, Si, S, Cl"):
        potentials.check_elements([6, 1, 35], "polyget")
    potentials.check_elements([6, 1, 17], "polyget")


def test_user_models_by_folder_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copy(registry.find("polyget"), tmp_path / "mine.safetensors")
    monkeypatch.setenv("POLYMD_MODELS", str(tmp_path))
    assert "mine" in potentials.available()
    theirs, mine = potentials.load("polyget").state_dict(), potentials.load("mine").state_dict()
    by_path = potentials.load(str(copy)).state_dict()
    for key in theirs:
        np.testing.assert_array_equal(theirs[key], mine[key])
        np.testing.assert_array_equal(theirs[key], by_path[key])


def test_the_card_says_where_the_weights_come_from() -> None:
    card = potentials.card("polyget")
    assert "wB97M-D3" in card["level_of_theory"]
    assert card["date"]

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from polymd.datasets.polybench import gaff2
from polymd.datasets.polybench.ambertools import FOLDER_VARIABLE

AMBERTOOLS = shutil.which("antechamber", path=os.environ.get(FOLDER_VARIABLE))


@pytest.mark.skipif(AMBERTOOLS is None, reason="needs AmberTools")
def test_parameters_of_poly_ethylene_oxide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    gaff2._parameters.cache_clear()
    found = gaff2.gaff2_parameters("*CCO*")
    gaff2._parameters.cache_clear()
    again = gaff2.gaff2_parameters("*CCO*")
    gaff2._parameters.cache_clear()
    assert found == again
    assert [name for name, _ in found.units["middle"]] == ["c3", "c3", "os", "h1", "h1", "h1", "h1"]
    assert found.units["tail"][-1][0] == "ho"
    for atoms in found.units.values():
        assert sum(charge for _, charge in atoms) == pytest.approx(0.0, abs=1e-9)
    assert set(found.bonds) == {"c3-c3", "c3-os", "c3-oh", "c3-h1", "c3-hc", "ho-oh"}

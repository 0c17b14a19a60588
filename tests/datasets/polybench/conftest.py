from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polymd.datasets.polybench import gaff2
from polymd.datasets.polybench.ambertools import FOLDER_VARIABLE


@pytest.fixture
def pet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """PET with its GAFF2 parameters in the cache, and energies that tleap's parameters of its trimer give.

    Made with AmberTools 26; the programs themselves cannot be found in the test.
    """
    content: dict[str, Any] = json.loads(Path(__file__).with_name("pet.json").read_text())
    content["positions"] = np.array(content["positions"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    path = gaff2.parameter_file(content["psmiles"], "bcc")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content["parameters"]))
    gaff2._parameters.cache_clear()
    yield content
    gaff2._parameters.cache_clear()

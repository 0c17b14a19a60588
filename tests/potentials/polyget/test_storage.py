from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from polymd.potentials.polyget import storage


def test_round_trip(tmp_path: Path) -> None:
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}
    storage.save(tmp_path / "m.safetensors", weights, {"channels": 8}, {"date": "2026-01-01"})
    read, architecture, card = storage.read(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(read["a"], weights["a"])
    assert architecture == {"channels": 8}
    assert card == {"date": "2026-01-01"}


def test_other_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"a": np.zeros(1)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(ValueError, match="has format None; a PolyGET model has 'polyget-1'"):
        storage.read(tmp_path / "other.safetensors")

"""A model with a committee, for every part that uses one."""

from pathlib import Path

import numpy as np
import pytest

from polymd.potentials import registry
from polymd.potentials.committee import Calibration, find_members, write_committee
from polymd.potentials.polyget import storage

CALIBRATION = Calibration(0.02, 0.4, 0.9)


@pytest.fixture(scope="session")
def committee_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as `mine`, and three members beside it: the same with noise on the weights."""
    folder = tmp_path_factory.mktemp("models")
    weights, architecture, card = storage.read(registry.find("polyget"))
    storage.save(folder / "mine.safetensors", weights, architecture, card)
    for number in (1, 2, 3):
        rng = np.random.default_rng(number)
        noisy = {
            name: array * (1.0 + 0.03 * rng.normal(size=array.shape)).astype(array.dtype)
            for name, array in weights.items()
        }
        storage.save(folder / f"mine-committee-{number}.safetensors", noisy, architecture, card)
    model = str(folder / "mine.safetensors")
    write_committee(model, find_members(model), CALIBRATION, {"results": None})
    return folder


@pytest.fixture
def committee_model(committee_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a user model that has a calibrated committee."""
    monkeypatch.setenv("POLYMD_MODELS", str(committee_folder))
    return "mine"

"""What the probes say."""

import json
from typing import Any

import pytest

from polymd import diagnostics


def test_a_probe_that_works_gives_no_reason() -> None:
    assert diagnostics._probe("potential_energy('Reference')") == (True, "")


def test_a_crash_and_an_error_are_reasons() -> None:
    works, reason = diagnostics._probe("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert not works
    assert "SIGSEGV" in reason
    assert diagnostics._probe("raise ImportError('no such library')") == (
        False,
        "ImportError: no such library",
    )
    assert diagnostics._probe("raise SystemExit(3)") == (False, "exit code 3")


def test_a_hanging_probe_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_PROBE_SECONDS", 0.01)
    works, reason = diagnostics._probe("import time; time.sleep(60)")
    assert not works
    assert "no answer" in reason


def test_torchforce_works_or_says_why() -> None:
    works, reason = diagnostics.torchforce_available()
    assert works == (reason == "")


def test_a_missing_openmmtorch_is_named_without_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "package_version", lambda name: None)
    works, reason = diagnostics.torchforce_available.__wrapped__()
    assert not works
    assert "polymd[torchforce]" in reason


def test_pythonforce_works() -> None:
    assert diagnostics.pythonforce_available() == (True, "")


def test_an_unknown_platform_does_not_work() -> None:
    works, reason = diagnostics.platform_available("Abacus")
    assert not works
    assert "Abacus" in reason


def test_warming_up_reaches_every_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    from polymd.potentials import replicas

    evaluated: list[str] = []

    class Watched(replicas.Replicas):
        def __init__(self, molecules: Any, model: str) -> None:
            super().__init__(molecules, model)
            evaluated.append(model)

    monkeypatch.setattr(replicas, "Replicas", Watched)
    assert diagnostics.warm_up() > 0
    assert "polyget" in evaluated


def test_a_diagnosis_is_json() -> None:
    report = json.loads(json.dumps(diagnostics.diagnose()))
    assert set(report["engines"]) == {"torchforce", "pythonforce", "ase"}
    assert report["platforms"]["Reference"]["works"]
    assert report["versions"]["polymd"]
    assert report["machine"]["cores"] >= 1

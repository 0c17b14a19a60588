"""polymd benchmark: what it prints, not how fast it is."""

import json

import numpy as np
import pytest

from polymd import benchmarking, cli


def test_potential_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", "potential", "--atoms", "8,20", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["atoms"] for row in report["results"]] == [8, 20]
    assert report["threads"] == 1
    assert set(report) >= {"processor", "cores", "versions", "date"}


def test_neighbors_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", "neighbors", "--atoms", "50", "--threads", "2"]) == 0
    assert "ns per pair" in capsys.readouterr().out


@pytest.mark.parametrize("atoms", ["", "0", "ten", "10,-1"])
def test_bad_sizes_are_refused(atoms: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", "potential", "--atoms", atoms]) == 2
    assert "--atoms" in capsys.readouterr().err


def test_boxes_have_one_density_and_no_overlaps() -> None:
    for n in (100, 1000):
        numbers, positions, cell = benchmarking.box(n)
        assert len(numbers) == len(positions) == n
        assert n / np.linalg.det(cell) == pytest.approx(benchmarking.DENSITY)
    with pytest.raises(ValueError, match="0 atoms"):
        benchmarking.box(0)


def test_calls_are_timed_in_turn() -> None:
    log: list[str] = []
    times = benchmarking.compare({"a": lambda: log.append("a"), "b": lambda: log.append("b")}, 1.0, most=4)
    assert log == ["a", "b"] * 5
    assert times["a"]["calls"] == 4


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="0 threads"), benchmarking.threads(0):
        pass

"""The figures' numbers are those of the run folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polymd.observables import radius_of_gyration_series
from polymd.report.figures import LARGEST, MOST_POINTS, figures
from polymd.report.run_folder import RunFolder, read_run_folder


@pytest.fixture
def run(run_folder: Path) -> RunFolder:
    return read_run_folder(run_folder)


def test_lines(run: RunFolder) -> None:
    drawn = figures(run)
    (energy,) = drawn["energy"]["data"]
    assert energy["x"] == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04])
    assert energy["y"] == [-100.0, -99.0, -98.0, -97.0, -96.0]
    (gyration,) = drawn["gyration"]["data"]
    assert gyration["y"] == pytest.approx(radius_of_gyration_series(run.trajectory), abs=1e-6)


def test_means_are_drawn_where_known(run: RunFolder) -> None:
    drawn = figures(run)
    assert [shape["y0"] for shape in drawn["temperature"]["layout"]["shapes"]] == [292.0]
    assert "shapes" not in drawn["energy"]["layout"]


def test_uncertainty_has_its_limit(run: RunFolder) -> None:
    assert "uncertainty" not in figures(run)
    watched = replace(
        run,
        log=run.log.assign(forces_std_eV_A=[0.1, 0.2, 0.6, 0.2, 0.1]),
        settings=run.settings | {"max_uncertainty": 0.5},
    )
    drawn = figures(watched)["uncertainty"]
    assert drawn["data"][0]["y"] == [0.1, 0.2, 0.6, 0.2, 0.1]
    assert [shape["y0"] for shape in drawn["layout"]["shapes"]] == [0.5]


def test_torsions_are_a_density(run: RunFolder) -> None:
    (bars,) = figures(run)["torsions"]["data"]
    assert bars["x"] == [-90.0, 90.0]
    assert np.sum(np.multiply(bars["y"], bars["width"])) == pytest.approx(1.0, abs=1e-4)


def test_torsion_map_shows_run_and_start(run: RunFolder) -> None:
    stored = {"edges": [-180, 0, 180], "counts": [[1, 3], [0, 4]], "start": [[-60.0, 170.0], [65.0, 60.0]]}
    cells, dots = figures(replace(run, properties={"torsion_map": stored}))["torsion_map"]["data"]
    assert (cells["x"], cells["y"]) == ([-90.0, -90.0, 90.0], [-90.0, 90.0, 90.0])
    assert cells["customdata"] == [0.125, 0.375, 0.5]
    assert np.square(cells["marker"]["size"]) == pytest.approx(
        np.array([0.25, 0.75, 1.0]) * LARGEST**2, rel=1e-2
    )
    assert {cells["type"], dots["type"]} == {"scatter"}  # all that the inlined plotly knows, beside bars
    assert (dots["x"], dots["y"]) == ([-60.0, 65.0], [170.0, 60.0])


def test_no_torsions_in_short_chains(run: RunFolder) -> None:
    assert "torsions" not in figures(replace(run, properties={}))


def test_long_logs_are_thinned_out(run: RunFolder) -> None:
    log = pd.concat([run.log] * 1001, ignore_index=True)
    (line,) = figures(replace(run, log=log))["energy"]["data"]
    assert MOST_POINTS / 2 < len(line["x"]) <= MOST_POINTS

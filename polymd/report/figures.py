"""The figures of a report as plotly figures, without colours: the page's script gives those of its theme."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.report.run_folder import RunFolder

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 2000  # a line of more is thinned out: no screen shows them
LARGEST = 13.0  # pixels, of the most frequent pair of torsions


def figures(run: RunFolder) -> dict[str, Any]:
    """The plotly specification of each figure by the identity of its place on the page."""
    from polymd.observables import radius_of_gyration_series

    time = run.log["time_fs"].to_numpy() / 1000.0
    drawn = {
        "energy": _against_time(
            time,
            run.log["potential_energy_eV"].to_numpy(),
            "potential energy / eV",
            _value(run, "potential_energy"),
        ),
        "temperature": _against_time(
            time, run.log["temperature_K"].to_numpy(), "temperature / K", _value(run, "temperature")
        ),
        "gyration": _against_time(
            run.frame_times / 1000.0,
            radius_of_gyration_series(run.trajectory),
            "radius of gyration / Å",
            _value(run, "radius_of_gyration"),
        ),
    }
    if "forces_std_eV_A" in run.log:
        drawn["uncertainty"] = _against_time(
            time,
            run.log["forces_std_eV_A"].to_numpy(),
            "largest force uncertainty / eV Å⁻¹",
            run.settings.get("max_uncertainty"),
        )
    if "torsion_distribution" in run.properties:
        drawn["torsions"] = _torsions(run.properties["torsion_distribution"])
    if "torsion_map" in run.properties:
        drawn["torsion_map"] = _torsion_map(run.properties["torsion_map"])
    return {name: json.loads(figure.to_json()) for name, figure in drawn.items()}


def _value(run: RunFolder, name: str) -> float | None:
    """The mean that `properties.json` gives for an observable, if it has it."""
    stored = run.properties.get(name)
    return None if stored is None else float(stored["value"])


def _against_time(
    time: NDArray[np.float64], series: NDArray[np.float64], label: str, dashed: float | None
) -> "Figure":
    """A line over time in ps, with its mean or its limit dashed."""
    from plotly import graph_objects

    stride = max(1, -(-time.size // MOST_POINTS))
    line = graph_objects.Scatter(
        x=np.round(time[::stride], 6).tolist(),
        y=np.round(series[::stride], 6).tolist(),
        mode="lines" if time.size > 1 else "markers",
        hovertemplate="%{y:.7~g} at %{x:.5~g} ps<extra></extra>",
    )
    figure = graph_objects.Figure(line, layout={"template": "none", "showlegend": False})
    figure.update_xaxes(title="time / ps")
    figure.update_yaxes(title=label, exponentformat="none")
    if dashed is not None:
        figure.add_hline(y=dashed, line_dash="dash", line_width=1)
    return figure


def _torsions(stored: dict[str, Any]) -> "Figure":
    """The histogram of backbone torsions as a probability density."""
    from plotly import graph_objects

    edges, counts = np.array(stored["edges"]), np.array(stored["counts"])
    density = counts / (max(counts.sum(), 1) * np.diff(edges))
    bars = graph_objects.Bar(
        x=(0.5 * (edges[1:] + edges[:-1])).tolist(),
        y=np.round(density, 7).tolist(),
        width=np.diff(edges).tolist(),
        hovertemplate="%{y:.4f} per degree at %{x}°<extra></extra>",
    )
    figure = graph_objects.Figure(bars, layout={"template": "none", "showlegend": False, "bargap": 0})
    figure.update_xaxes(title="backbone torsion / degree", range=[-180, 180], dtick=60)
    figure.update_yaxes(title="probability / degree⁻¹", rangemode="tozero")
    return figure


def _torsion_map(stored: dict[str, Any]) -> "Figure":
    """Pairs of neighbouring backbone torsions: squares of the run, the start's as dots.

    Squares as large as the pair is frequent, since the plotly that is inlined in the page knows no heat maps.
    """
    from plotly import graph_objects

    edges, counts = np.array(stored["edges"]), np.array(stored["counts"])
    centres = 0.5 * (edges[1:] + edges[:-1])
    one, other = np.nonzero(counts)
    share = counts[one, other] / max(counts.sum(), 1)
    cells = graph_objects.Scatter(
        x=centres[one].tolist(),
        y=centres[other].tolist(),
        mode="markers",
        marker={
            "symbol": "square",
            "size": np.round(LARGEST * np.sqrt(share / share.max(initial=1e-9)), 2).tolist(),
            "line": {"width": 0},
        },
        customdata=np.round(share, 7).tolist(),
        hovertemplate="%{customdata:.4f} at %{x}°, %{y}°<extra>run</extra>",
    )
    start = np.array(stored["start"]).reshape(-1, 2)
    dots = graph_objects.Scatter(
        x=start[:, 0].tolist(),
        y=start[:, 1].tolist(),
        mode="markers",
        marker={"size": 5, "color": "#d55e00"},
        hovertemplate="%{x}°, %{y}°<extra>start</extra>",
    )
    layout = {"template": "none", "showlegend": False, "hovermode": "closest"}
    figure = graph_objects.Figure([cells, dots], layout=layout)
    figure.update_xaxes(title="backbone torsion / degree", range=[-180, 180], dtick=60)
    figure.update_yaxes(title="the next one / degree", range=[-180, 180], dtick=60)
    return figure

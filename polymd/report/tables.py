"""The tables and the drawing of a report as HTML."""

import html
import math
import shlex
from typing import Any

LABELS = {
    "radius_of_gyration": "Radius of gyration",
    "end_to_end_distance": "End-to-end distance",
    "characteristic_ratio": "Characteristic ratio",
    "potential_energy": "Potential energy",
    "kinetic_energy": "Kinetic energy",
    "temperature": "Temperature",
    "density": "Density",
}
_APART = ("command", "versions", "machine")  # keys of run.yaml that have a table of their own


def results(properties: dict[str, Any]) -> str:
    """Rows of the observables with their errors, in the order of `properties.json`."""
    rows = []
    for name, stored in properties.items():
        if not isinstance(stored, dict) or "value" not in stored:
            continue
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        number = with_error(float(stored["value"]), stored.get("error"))
        rows.append(
            f'<tr><th scope="row">{html.escape(label)}</th><td class="number">{number}</td>'
            f"<td>{html.escape(stored.get('unit', ''))}</td></tr>"
        )
    return "".join(rows)


def with_error(value: float, error: float | None) -> str:
    """A value with as many digits as its error allows: two of the error."""
    if error is None or not math.isfinite(error) or error <= 0.0:
        text = f"{value:.5g}"
    else:
        digits = max(0, 1 - math.floor(math.log10(error)))
        text = f"{value:.{digits}f} ± {error:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def settings(run: dict[str, Any]) -> str:
    """Rows of the resolved configuration."""
    return _rows({name: value for name, value in run.items() if name not in _APART})


def provenance(run: dict[str, Any]) -> str:
    """Rows of the machine and of the versions of the programs."""
    machine = run.get("machine") or {}
    described = machine if isinstance(machine, dict) else {"machine": machine}
    return _rows(described) + _rows(run.get("versions") or {})


def command(run: dict[str, Any]) -> str:
    """The exact command of the run, escaped."""
    given = run.get("command") or "called from Python: no command line"
    return html.escape(given if isinstance(given, str) else shlex.join(map(str, given)))


def _rows(mapping: dict[str, Any], prefix: str = "") -> str:
    rows = []
    for name, value in mapping.items():
        label = f"{prefix}{name}"
        if isinstance(value, dict):
            rows.append(_rows(value, f"{label}."))
            continue
        shown = (
            "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        )
        rows.append(f'<tr><th scope="row">{html.escape(label)}</th><td>{html.escape(shown)}</td></tr>')
    return "".join(rows)


def drawing(psmiles: str) -> str:
    """The repeat unit as SVG whose black lines follow the text's colour."""
    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    molecule = Chem.MolFromSmiles(psmiles)
    if molecule is None:
        return ""
    canvas = rdMolDraw2D.MolDraw2DSVG(220, 150)
    options: Any = canvas.drawOptions()
    options.clearBackground = False
    options.useBWAtomPalette()
    options.dummiesAreAttachments = True
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    svg = canvas.GetDrawingText()
    return svg[svg.index("<svg") :].replace("#000000", "currentColor")

"""Puts the card of the shipped weights into the page of the model card, so that it is always theirs."""

import json
import struct
from pathlib import Path
from typing import Any

WEIGHTS = Path("potentials/polyget/weights/polyget.safetensors")
COMMITTEE = WEIGHTS.with_suffix(".committee.json")
COLUMNS = {
    "frames": ("frames", "d"),
    "force_mae": ("force MAE, eV/Å", ".4f"),
    "force_rmse": ("force RMSE, eV/Å", ".4f"),
    "energy_mae_per_atom": ("energy MAE, eV/atom", ".5f"),
}
GROUPS = {
    "by_kind": "By kind of molecule",
    "by_temperature": "By temperature",
    "by_family": "By family",
    "by_element": "By element",
}


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Called by mkdocs with the text of each page."""
    root = Path(config["config_file_path"]).parent
    for mark, text in (("<!-- card -->", _card), ("<!-- committee -->", _committee)):
        if mark in markdown:
            markdown = markdown.replace(mark, text(root))
    return markdown


def _card(root: Path) -> str:
    with (root / WEIGHTS).open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length))["__metadata__"]
    card = json.loads(metadata["card"])
    architecture = json.loads(metadata["architecture"])
    parts = [_facts(card, architecture)]
    if card.get("limits"):
        parts.insert(0, "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card["limits"]))
    if card.get("errors"):
        parts.append(_errors(card["errors"]))
    if (root / COMMITTEE).is_file():
        parts.append(
            "## Uncertainty\n\nWhat this means: [Uncertainty](uncertainty.md).\n\n" + _committee(root)
        )
    return "\n\n".join(parts)


def _committee(root: Path) -> str:
    """Tables of the committee's calibration, or a line where none ships."""
    if not (root / COMMITTEE).is_file():
        return "The shipped weights have no committee yet; `--committee` needs one."
    committee = json.loads((root / COMMITTEE).read_text(encoding="utf-8"))
    results, families = committee["results"], committee["families"]
    fitted, tested = (len(families[name]) for name in ("calibrated", "tested"))
    text = (
        f"{len(committee['members'])} members, calibrated on {fitted} families and tested on {tested} "
        "others, none of which was trained on."
    )
    levels = list(results["coverage"])
    head = ["", "atoms", "rms error, eV/Å", "rms `forces_std`, eV/Å", "rank correlation, atoms", "frames"]
    head += [f"inside {level}" for level in levels] + ["calibration error"]
    rows = []
    for name, values in {"all": results, **results["by_temperature"]}.items():
        ranks = (values["rank_correlation"], values["frame_rank_correlation"])
        row = [name, str(values["atoms"]), f"{values['rms_error']:.3f}", f"{values['rms_forces_std']:.3f}"]
        row += ["" if rank is None else f"{rank:.2f}" for rank in ranks]
        row += [f"{values['coverage'][level]:.0%}" for level in levels]
        rows.append([*row, f"{values['calibration_error']:.0%}"])
    curve = [
        [f"{point['forces_std']:.3f}", f"{point['rms_error']:.3f}", str(point["atoms"])]
        for point in results["curve"]
    ]
    largest = [
        [name, *(f"{value:.2f}" for value in values["largest_forces_std"].values())]
        for name, values in {"all": results, **results["by_temperature"]}.items()
    ]
    return "\n\n".join(
        [
            text,
            _rows(head, rows),
            "Calibration curve: root mean squares in bins of equal number of atoms.",
            _rows(["predicted, eV/Å", "actual, eV/Å", "atoms"], curve),
            "Largest `forces_std` of a frame's atoms, eV/Å:",
            _rows(["", "median", "90 %", "99 %"], largest),
        ]
    )


def _rows(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _facts(card: dict[str, Any], architecture: dict[str, Any]) -> str:
    rows = {"date": card.get("date"), "level of theory": card.get("level_of_theory")}
    rows |= {f"data: {each['file']}": f"SHA-256 {each['sha256'][:16]}…" for each in card.get("data", [])}
    rows |= {name: value for name, value in card.get("training", {}).items() if value is not None}
    rows |= {name: value for name, value in architecture.items() if name != "elements"}
    rows["elements, by atomic number"] = ", ".join(map(str, architecture["elements"]))
    return "## Facts\n\n| | |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in rows.items() if v)


def _errors(errors: dict[str, Any]) -> str:
    text = ["## Errors", "On families the model has not been trained on.", _table({"all": errors})]
    for group, title in GROUPS.items():
        if errors.get(group):
            text += [f"### {title}", _table(errors[group])]
    return "\n\n".join(text)


def _table(rows: dict[str, Any]) -> str:
    if not isinstance(next(iter(rows.values())), dict):
        body = "\n".join(f"| {name} | {value:.4f} |" for name, value in rows.items())
        return f"| | force MAE, eV/Å |\n|---|---|\n{body}"
    head = (
        "| | "
        + " | ".join(title for title, _ in COLUMNS.values())
        + " |\n|---"
        + "|---" * len(COLUMNS)
        + "|\n"
    )
    lines = []
    for name, values in rows.items():
        cells = [
            format(values[key], form) if values.get(key) is not None else ""
            for key, (_, form) in COLUMNS.items()
        ]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return head + "\n".join(lines)

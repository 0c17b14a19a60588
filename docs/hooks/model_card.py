"""Puts the card of the shipped weights into the page of the model card, so that it is always theirs."""

import json
import struct
from pathlib import Path
from typing import Any

WEIGHTS = Path("potentials/polyget/weights/polyget.safetensors")
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
    if "<!-- card -->" not in markdown:
        return markdown
    return markdown.replace("<!-- card -->", _card(Path(config["config_file_path"]).parent / WEIGHTS))


def _card(weights: Path) -> str:
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length))["__metadata__"]
    card = json.loads(metadata["card"])
    architecture = json.loads(metadata["architecture"])
    parts = [_facts(card, architecture)]
    if card.get("limits"):
        parts.insert(0, "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card["limits"]))
    if card.get("errors"):
        parts.append(_errors(card["errors"]))
    return "\n\n".join(parts)


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

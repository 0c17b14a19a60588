"""docs/accuracy.md: everything that results/ holds, with where it comes from and what is missing.

The prose is in text/, one file a section; here are the numbers that go into it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.accuracy import plots
from benchmarks.accuracy.common import FOLDER, ROOT, read_result
from benchmarks.accuracy.methods import TITLES
from benchmarks.accuracy.tables import (
    at_most_600,
    force_table,
    kind_table,
    must_table,
    provenance,
    stale,
    table,
    with_error,
)
from polymd.potentials import card

PAGE = ROOT / "docs" / "accuracy.md"


def frames(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/frames.md."""
    methods, seen = result["methods"], result["seen"]["polyget"]
    own = methods["polyget"]
    return {
        "frames": own["frames"],
        "families": own["families"],
        "stale": stale(own["version"]),
        "table": force_table(methods, "by_temperature"),
        "missing": methods["mmff94"]["frames_without_parameters"],
        "kinds": kind_table(methods),
        "seen_frames": seen["frames"],
        "seen_families": seen["families"],
        "seen_mae": seen["force_mae"],
        "ratio": own["force_mae"] / seen["force_mae"],
    }


def dft(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/dft.md."""
    sets = {name: result.get(name, {}).get("methods") for name in ("polymers", "small")}
    used = [methods["polyget"]["version"] for methods in sets.values() if methods]
    seconds = [c["cpu_seconds"] for c in result["costs"]]
    atoms = [c["atoms"] for c in result["costs"]]
    cost = "" if not seconds else (
        f"A frame of {min(atoms)} to {max(atoms)} atoms took {min(seconds):.0f} to {max(seconds):.0f} CPU "
        "seconds, energy and forces on one thread."
    )  # fmt: skip
    tables = {name: force_table(m, None) if m else "None is labelled yet." for name, m in sets.items()}
    remark = next((stale(version) for version in used if stale(version)), "")
    return tables | {"planned": result["planned"], "done": result["done"], "stale": remark, "cost": cost}


def torsions(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/torsions.md."""
    scans = result["scans"]
    first = next(iter(scans.values()))
    plots.torsions(result)
    header = ["", *(f"{name}, {scan['atoms']} atoms" for name, scan in scans.items())]
    rows = [[TITLES[m], *(f"{scan['mae'][m]:.2f}" for scan in scans.values())] for m in first["mae"]]
    return {"stale": stale(first["versions"]["polyget"]), "table": table(header, rows)}


def stability(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/stability.md."""
    rows = []
    for m in sorted(result["molecules"], key=lambda m: m["atoms"]):
        off = [abs(w["mean"] - w["target"]) / w["allowed"] for w in m["windows"]]
        verdict = "no" if m["broken"] or m["heated"] else "yes" if m["finished"] else "so far"
        name = f"`{m['psmiles']}` {m['kind']} × {m['n_units']}"
        worst = f"{max(off):.2f}" if off else ""
        rows.append([name, str(m["atoms"]), f"{m['ps']:g}", f"{m['longest_bond']:.2f}", worst, verdict])
    header = ["", "atoms", "ps", "longest bond / start", "worst window / allowed", "stable"]
    stages = result["molecules"][0]["stages"] if result["molecules"] else []
    return {
        "planned": result["planned"],
        "finished": result["finished"],
        "stable": result["stable"],
        "timestep": result["timestep_fs"],
        "stages": ", then ".join(f"{ps:g} ps at {kelvin:g} K" for kelvin, ps in stages),
        "stale": stale(result["version"]),
        "table": table(header, rows),
    }


def chain(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/chain.md."""
    runs = [result[name] for name in ("nve", "heavy") if name in result]  # the second comes later
    plots.chain(result)
    rows = [
        ["ps", *(f"{run['ps']:g}" for run in runs)],
        ["drift, kJ/mol/ps/atom", *(f"{run['drift']['slope']:.1e}" for run in runs)],
        ["drift of the first 20 ps", *(f"{run['drift_first']['slope']:.1e}" for run in runs)],
        ["spread about the drift, kJ/mol/atom", *(f"{run['drift']['spread']:.1e}" for run in runs)],
        ["temperature", *(with_error(run["temperature"], 1) for run in runs)],
        ["radius of gyration", *(with_error(run["rg"], 3) for run in runs)],
    ]
    found = {key: result[key] for key in ("atoms", "psmiles", "n_units")}
    header = ["", "1 fs", "2 fs, hydrogens of 4 amu"][: len(runs) + 1]
    return found | {"ps": runs[0]["ps"], "stale": stale(result["version"]), "table": table(header, rows)}


def timings(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/timings.md."""
    methods = result["methods"]
    own = methods["polyget"]["seconds"]
    plots.speed(result)
    rows = [
        [TITLES[name], *(f"{1e3 * t:.3g} ms ({t / own[n]:.3g}×)" for n, t in found["seconds"].items())]
        for name, found in methods.items()
    ]
    text = ""
    costs = (read_result("dft") or {}).get("costs")
    if costs:
        atoms, seconds = np.mean([c["atoms"] for c in costs]), np.mean([c["cpu_seconds"] for c in costs])
        smallest = next(iter(own))
        step = own[smallest] * atoms / float(smallest)
        text = (
            f"DFT took {seconds:.0f} CPU seconds on average for {len(costs)} molecules of {atoms:.0f} atoms, "
            f"on a machine that did other work too. PolyGET's step at {smallest} atoms, scaled down to that "
            f"size, takes {1e3 * step:.2g} ms, {seconds / step:,.0f} times less. Larger sizes were not run."
        )
    header = ["", *(f"{n} atoms" for n in own)]
    return {"stale": stale(methods["polyget"]["version"]), "table": table(header, rows), "dft": text}


def ablation(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/ablation.md."""
    models, settings = result["models"], result["settings"]
    names = {result["family"]: "poly(lactic acid), seen by both"}
    names |= {psmiles: f"`{psmiles}`, seen by neither" for psmiles in result["unseen"]}
    rows = [
        [title, *(f"{models[m]['errors'][psmiles]['force_mae']:.3f}" for m in ("one", "all"))]
        for psmiles, title in names.items()
    ]
    return {
        "channels": settings["architecture"]["channels"],
        "layers": settings["architecture"]["layers"],
        "steps": settings["steps"],
        "batch": settings["batch"],
        "one_frames": models["one"]["frames"],
        "all_frames": models["all"]["frames"],
        "all_families": models["all"]["families"],
        "one_minutes": models["one"]["minutes"],
        "all_minutes": models["all"]["minutes"],
        "table": table(["rings of 7 and 8 units of", "one family", "all families"], rows),
    }


def stress(result: dict[str, Any]) -> dict[str, Any]:
    """Numbers of text/stress.md."""
    rows = []
    for name, found in sorted(result["groups"].items(), key=lambda item: item[1]["force_mae"]):
        count = result["occurrences"][name]
        unsure = "" if found["uncertainty"] is None else f"{found['uncertainty']:.3f}"
        errors = [f"{found[key]:.3f}" for key in ("force_mae", "force_rmse")]
        rows.append([f"{name}, `{found['psmiles']}`", "?" if count is None else str(count), *errors, unsure])
    ordinary = result["validation_uncertainty"]
    remark = "These weights have no committee, so PolyGET cannot tell that such frames are foreign to it."
    if ordinary is not None:
        remark = (
            "Uncertainty is the root mean square of `forces_std` over atoms; on ordinary validation frames "
            f"it is {ordinary:.3f} eV/Å."
        )
    said = [f"- {element}: `{message}`" for element, message in result["refusals"].items()]
    header = ["", "training families", "force MAE", "RMSE", "uncertainty"]
    return {
        "stale": stale(result["version"]),
        "table": table(header, rows),
        "uncertainty": remark,
        "refusals": "\n".join(said),
    }


def scaling() -> dict[str, Any]:
    """Numbers of text/scaling.md, from scaling.json and the card of the weights that ship."""
    points = json.loads((FOLDER / "scaling.json").read_text(encoding="utf-8"))
    points = with_card(points, card("polyget"))
    plots.scaling(points)
    rows = [
        [p["note"], f"{p['minutes']:g}", f"{p['frames']:,}", f"{p['parameters']:,}", f"{p['force_mae']:.4f}"]
        for p in points
    ]
    slope = power(points)
    text = "" if slope is None else (
        f"Over all points the error goes with the minutes to the power {slope:.2f}; data and size of the "
        "model grow along with them, so this is a rough guide."
    )  # fmt: skip
    header = ["", "minutes", "frames", "parameters", "force MAE, eV/Å"]
    return {"table": table(header, rows), "power": text}


def with_card(points: list[dict[str, Any]], shipped: dict[str, Any]) -> list[dict[str, Any]]:
    """The points and that of a model's card, unless they have one of as many minutes and frames."""
    training, error = shipped["training"], shipped["errors"]["force_mae"]
    point = {key: training[key] for key in ("minutes", "frames", "parameters")}
    point |= {"force_mae": error, "note": "weights that ship now"}
    if any(p["frames"] == point["frames"] and abs(p["minutes"] - point["minutes"]) < 1 for p in points):
        return points
    return [*points, point]


def power(points: list[dict[str, Any]]) -> float | None:
    """Exponent of the error against minutes, for three different times or more."""
    if len({p["minutes"] for p in points}) < 3:
        return None
    minutes, errors = (np.log([p[key] for p in points]) for key in ("minutes", "force_mae"))
    return float(np.polyfit(minutes, errors, 1)[0])


def musts(results: dict[str, dict[str, Any] | None]) -> str:
    """What PolyGET has to reach, and what it aims at."""
    found, drift, stable = results["frames"], results["chain"], results["stability"]
    own = found["methods"]["polyget"] if found else None
    labelled = ((results["dft"] or {}).get("polymers") or {}).get("methods")
    done, against = (results["dft"] or {}).get("done", 0), labelled and labelled["polyget"]["force_mae"]
    finished = stable["finished"] if stable else 0
    unstable = finished - stable["stable"] if stable and finished else None
    return must_table(
        [
            ("force MAE, teacher, ≤ 600 K", own and at_most_600(own, "force_mae"), 0.035, 0.020, ".4f"),
            ("cosine distance, ≤ 600 K", own and at_most_600(own, "cosine_distance"), 0.002, 5e-4, ".5f"),
            (f"force MAE, DFT, {done} frames", against, 0.060, 0.050, ".4f"),
            ("unseen over seen families", found and frames(found)["ratio"], 1.5, 1.2, ".2f"),
            ("NVE drift, kJ/mol/ps/atom", drift and abs(drift["nve"]["drift"]["slope"]), 5e-3, 5e-4, ".1e"),
            (f"unstable of {finished} molecules done, 20 planned", unstable, 0, 0, "d"),
        ]
    )


SECTIONS = (frames, dft, torsions, stability, chain, timings, ablation, stress)


def fill(name: str, **values: Any) -> str:
    """The text of a section with its numbers."""
    return (FOLDER / "text" / f"{name}.md").read_text(encoding="utf-8").strip().format(**values)


def main() -> None:
    results = {section.__name__: read_result(section.__name__) for section in SECTIONS}
    parts = [fill("intro", musts=musts(results))]
    for section in SECTIONS:
        name, result = section.__name__, results[section.__name__]
        if result is None:
            title = {"dft": "Against DFT", "timings": "Speed"}.get(name, name.capitalize())
            parts.append(f"## {title}\n\nNot measured yet: `make benchmark-accuracy PARTS={name}`.")
        else:
            parts += [fill(name, **section(result)), provenance(result)]
    parts += [fill("scaling", **scaling()), fill("again")]
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

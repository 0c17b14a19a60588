"""Tables of docs/performance.md and docs/engine.md from the result files: results/*.md.

python benchmarks/speed/tables.py
"""

import json
from typing import Any

from common import RESULTS

Rows = list[dict[str, Any]]


def load(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def markdown(rows: Rows) -> str:
    """Rows of the same keys as a Markdown table."""
    names = [name.replace("_", " ") for name in rows[0]]
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(_cell(value) for value in row.values())} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return f"{value:,d}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(name: str, text: str) -> None:
    (RESULTS / f"{name}.md").write_text(text)


def columns(rows: Rows, *names: str) -> Rows:
    return [{name: row[name] for name in names} for row in rows]


def pick(rows: Rows, **values: Any) -> dict[str, Any] | None:
    found = [row for row in rows if all(row.get(key) == value for key, value in values.items())]
    return found[0] if found else None


def musts(data: dict[str, Any]) -> Rows:
    """Each target of issue 4 with what was measured."""
    table: Rows = []

    def add(name: str, must: str, aim: str, measured: list[str]) -> None:
        if measured:
            table.append({"against": name, "must": must, "aim": aim, "measured": "; ".join(measured)})

    potentials = data.get("potentials", [])
    for name, code, must, aim, atoms in (
        ("torchmd-net ET, energy and forces", "torchmd-net ET", "8×", "15×", (360, 1000)),
        ("mace-torch 96x0e, r = 4.5 Å", "mace-torch 96x0e", "5×", "10×", (360,)),
    ):
        add(name, must, aim, [
            f"{best:.1f}× ({n} atoms, {threads} thr.)"
            for n in atoms for threads in (1, 2)
            if (best := fastest(potentials, code, n, threads)) is not None
        ])  # fmt: skip
    row = pick(data.get("memory", []), code="torchmd-net ET")
    add(
        "peak memory of torchmd-net ET, 360 atoms",
        "20×",
        "50×",
        [f"{row['times_polymd']:.0f}×"] if row else [],
    )
    for code, must, aim in (("vesin", "2.5×", "4×"), ("matscipy", "7×", "10×")):
        add(f"{code}, i j S D d", must, aim, [
            f"{row['polymd_is_faster_by']:.1f}× ({row['atoms']:,}, {row['threads']} thr.)"
            for row in data.get("neighbors", []) if row["code"] == code
        ])  # fmt: skip
    own = data.get("scaling", {}).get("polymd", [])
    time = {(row["atoms"], row["threads"]): row["ms"] for row in own}
    add("two threads over one", "1.6×", "1.9×", [
        f"{time[n, 1] / time[n, 2]:.2f}× ({n:,})"
        for n, threads in time if threads == 1 and n >= 1000 and (n, 2) in time
    ])  # fmt: skip
    for threads in (1, 2):
        each = [row["us_per_atom"] for row in own if row["threads"] == threads and row["atoms"] >= 1000]
        if each:
            spread = f"{100 * (max(each) / min(each) - 1):.0f} % between extremes ({threads} thr.)"
            add(f"cost per atom, 1,000 to 30,000 atoms, {threads} thr.", "within 20 %", "10 %", [spread])
    return table


def fastest(rows: Rows, code: str, atoms: int, threads: int) -> float | None:
    """How often polymd is faster than the faster of a code's variants (eager, TorchScript)."""
    ratios = [
        row["polymd_is_faster_by"] for row in rows
        if row["code"].startswith(code) and row["atoms"] == atoms and row["threads"] == threads
    ]  # fmt: skip
    return min(ratios) if ratios else None


def main() -> None:
    found = {
        name: load(name)
        for name in ("potentials", "memory", "neighbors", "scaling", "replicas", "table_error", "mts")
    }
    data = {name: entry["results"] for name, entry in found.items() if entry}
    for name in ("memory", "replicas", "table_error", "mts"):
        if name in data:
            write(name, markdown(data[name]))
    for name, column in (("potentials", "threads"), ("neighbors", "boundaries")):
        if name in data:
            wanted = dict.fromkeys(("threads", column, "code", "atoms", "ms", "polymd_is_faster_by"))
            write(name, markdown(columns(data[name], *wanted)))
    if "scaling" in data:
        names = ("threads", "atoms", "ms", "us_per_atom", "GFLOP/s", "GB/s")
        peaks = [
            {"threads": p["threads"], "atoms": "peak", "ms": "", "us_per_atom": ""} | p
            for p in data["scaling"]["peaks"]
        ]
        write("scaling", markdown(columns([*data["scaling"]["polymd"], *peaks], *names)))
    if rows := musts(data):
        write("musts", markdown(rows))
    for entry in found.values():
        if entry:
            facts = entry["machine"]
            versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items() if v)
            text = (
                f"{facts['processor']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}, "
            )
            write("machine", f"{text}{facts['date']}; {versions}.\n")
            break


if __name__ == "__main__":
    main()

"""Force errors against DFT, on the frames of `dft` that are done and on seven of small molecules."""

from __future__ import annotations

from benchmarks.accuracy.common import FOLDER, read_result, write_result
from benchmarks.accuracy.dft import FILE, labelled
from benchmarks.accuracy.dft_geometries import POLYMERS
from benchmarks.accuracy.methods import compare, fingerprint, ours
from polymd.datasets.frames import read_frames

PEERS = ("aimnet2", "aimnet2-single", "gfn2", "mmff94")
SETS = {"polymers": FILE, "small": FOLDER / "reference" / "dft_small.extxyz"}


def main() -> None:
    from ase.io import read

    done = labelled()
    old = read_result("dft") or {}
    content: dict[str, object] = {"done": len(done), "planned": len(POLYMERS)}
    for name, path in SETS.items():
        if not path.exists():
            continue
        molecules = read_frames(path)
        content[name] = {
            "methods": compare(molecules, (*ours(), *PEERS), old.get(name), fingerprint(molecules))
        }
    images = read(FILE, index=":") if done else []
    content["costs"] = [
        {"id": a.info["id"], "atoms": len(a), "electrons": int(a.numbers.sum())}
        | {key: a.info[key] for key in ("cpu_seconds", "wall_seconds", "threads", "machine")}
        for a in images
    ]
    levels = sorted({str(a.info["level"]) for a in images})
    write_result("dft", content, level_of_theory="; ".join(levels))


if __name__ == "__main__":
    main()

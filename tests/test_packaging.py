"""What a user gets from `pip install`: every package with its data, and nothing beside polymd."""

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MOVED = {"polymd.potentials": "potentials", "polymd.integrators": "integrators"}


def test_packages_are_those_of_the_tree() -> None:
    def packages(folder: Path, name: str) -> set[str]:
        return {
            ".".join([name, *init.parent.relative_to(folder).parts]) for init in folder.rglob("__init__.py")
        }

    found = packages(ROOT / "polymd", "polymd").union(*(packages(ROOT / d, n) for n, d in MOVED.items()))
    assert SETTINGS["tool"]["setuptools"]["packages"] == sorted(found)
    assert SETTINGS["tool"]["setuptools"]["package-dir"] == MOVED


@pytest.mark.parametrize(("name", "folder"), MOVED.items())
def test_links_lead_to_the_folders(name: str, folder: str) -> None:
    link = ROOT / name.replace(".", "/")
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder


def test_no_package_of_a_foreign_name() -> None:
    code = (
        "import importlib.util, polymd.potentials, polymd.integrators\n"
        "for name in ('potentials', 'integrators'):\n"
        "    assert importlib.util.find_spec(name) is None, name\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=120)


def test_import_is_light() -> None:
    code = "import sys, polymd; assert not {'torch', 'openmm', 'rdkit', 'numba', 'plotly'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_import_is_a_declared_dependency() -> None:
    project = SETTINGS["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["torchforce"], *extras["cluster"]]
    known = (
        {re.split(r"[^a-z0-9_-]", line)[0] for line in declared} | {"polymd"} | set(sys.stdlib_module_names)
    )
    imported = set()
    for folder in ("polymd", *MOVED.values()):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    imported.add(str(node.module).split(".")[0])
    distributions = {"yaml": "pyyaml", "torch_cluster": "torch-cluster"}
    assert {distributions.get(name, name) for name in imported} <= known


def test_version_is_said_once() -> None:
    import polymd

    assert SETTINGS["project"]["version"] == polymd.__version__


def build(source: Path, kind: str) -> Path:
    """Build a wheel or an sdist from a source tree with the backend that pip would call."""
    out = source / "built"
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(out)!r}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=source, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree without what building and running leave behind."""
    target = tmp_path_factory.mktemp("source") / "polymd"
    kept = ("polymd", "potentials", "integrators")
    ignore = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for name in kept:
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, target / name)
    return target


def wanted(source: Path) -> set[str]:
    """Every file of the packages but symlinks, by its name in the wheel."""
    names = {str(p.relative_to(source)) for p in (source / "polymd").rglob("*") if p.is_file()}
    for name, folder in MOVED.items():
        for path in (source / folder).rglob("*"):
            if path.is_file():
                names.add(str(name.replace(".", "/") / path.relative_to(source / folder)))
    return names


def test_wheel_has_everything_and_nothing_else(source: Path) -> None:
    with zipfile.ZipFile(build(source, "wheel")) as wheel:
        names = set(wheel.namelist())
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == wanted(source)
    assert "polymd/py.typed" in names
    assert any(name.endswith(".safetensors") for name in names)


def test_wheel_from_the_sdist_is_the_same(source: Path, tmp_path: Path) -> None:
    with tarfile.open(build(source, "sdist")) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    with zipfile.ZipFile(build(unpacked, "wheel")) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == wanted(source)

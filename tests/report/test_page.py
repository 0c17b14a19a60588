"""The report as a whole: complete, offline, escaped."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from polymd.report import write_report


class Page(HTMLParser):
    """Collects a page's text, its scripts and whatever it would load."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""
        self.data: dict[str, Any] = {}
        self.identities: set[str] = set()
        self.drawings = 0
        self._inside: tuple[str, str | None] = ("", None)
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.loads += [value for name, value in attrs if name in ("src", "href") and value]
        self.identities.add(attributes.get("id") or "")
        self.drawings += tag == "svg"
        self._inside = (tag, attributes.get("id"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ("", None)

    def handle_data(self, data: str) -> None:
        if self._inside == ("script", "data"):
            self.data = json.loads(data)
        elif self._inside[0] not in ("script", "style"):
            self.text += data


@pytest.fixture
def page(run_folder: Path) -> Page:
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def test_loads_nothing(page: Page) -> None:
    assert page.loads == []


def test_stylesheet_loads_nothing(run_folder: Path) -> None:
    source = write_report(run_folder).read_text(encoding="utf-8")
    style = source[source.index("<style>") : source.index("</style>")]
    assert not re.search(r"url\(|@import", style)


def test_size(run_folder: Path) -> None:
    assert write_report(run_folder).stat().st_size < 2_500_000


def test_says_what_was_run_and_where(page: Page) -> None:
    assert "polymd run '*CCO*' --units 4 --out a&b" in page.text
    assert "a <fast> one" in page.text
    for word in ("0.1.0", "8.4", "300.0", "1 chain, 4 units, 30 atoms, 0.04 ps, 5 frames"):
        assert word in page.text


def test_results_have_error_bars(page: Page) -> None:
    assert "6.543 ± 0.012" in page.text
    assert "Radius of gyration" in page.text
    assert "292" in page.text


def test_every_figure_has_its_place(page: Page) -> None:
    assert set(page.data["figures"]) == {"energy", "temperature", "gyration", "torsions"}
    assert set(page.data["figures"]) <= page.identities
    assert "scene" in page.identities


def test_script_finds_what_it_looks_for(page: Page) -> None:
    script = Path(__file__).parents[2] / "polymd" / "report" / "report.js"
    wanted = set(re.findall(r'element\("([a-z]+)"\)', script.read_text(encoding="utf-8")))
    assert wanted <= page.identities


def test_a_copolymer_shows_its_units(run_folder: Path) -> None:
    settings = yaml.safe_load((run_folder / "run.yaml").read_text())
    (run_folder / "run.yaml").write_text(yaml.safe_dump(settings | {"psmiles": ["*CC*", "*CCO*"]}))
    page = Page(write_report(run_folder).read_text(encoding="utf-8"))
    assert "*CC*-*CCO*" in page.text
    assert page.drawings == 2


def test_template_leaves_no_placeholder(page: Page) -> None:
    assert "$" not in page.text


@pytest.mark.parametrize("name", ["run.yaml", "log.csv", "trajectory.dcd"])
def test_missing_file_is_named(run_folder: Path, name: str) -> None:
    (run_folder / name).unlink()
    with pytest.raises(ValueError, match=f"lacks {re.escape(name)}; give"):
        write_report(run_folder)


def test_frames_without_log_rows(run_folder: Path) -> None:
    log = (run_folder / "log.csv").read_text().splitlines()
    (run_folder / "log.csv").write_text("\n".join(log[:3]) + "\n")
    with pytest.raises(ValueError, match=r"5 frames and 2 rows in log\.csv"):
        write_report(run_folder)

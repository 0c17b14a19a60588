"""The scripts that every report carries come with their licences."""

from importlib.resources import files

import pytest


@pytest.mark.parametrize(
    ("script", "licence", "words"),
    [
        ("3Dmol-min.js", "3Dmol-LICENSE.txt", "BSD-3-Clause"),
        ("plotly-basic.min.js", "plotly-LICENSE.txt", "MIT License"),
    ],
)
def test_script_and_licence(script: str, licence: str, words: str) -> None:
    vendor = files("polymd.report") / "vendor"
    assert "</script" not in (vendor / script).read_text(encoding="utf-8")
    assert words in (vendor / licence).read_text(encoding="utf-8")
    assert script in (vendor / "README.md").read_text(encoding="utf-8")

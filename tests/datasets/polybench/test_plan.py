from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polymd.datasets.polybench.plan import KNOWN, Settings, make_plan
from polymd.datasets.sampling.exclusion import Exclusion

EPS = ["*CCS*", "*CCCS*", "*OCC*", "*COC*", "*C([2H])O*", "*CC(*)F", "*CC[P](C)*", "*CCN*", "*CC(*)OC"]
EGC = [
    "*CCCCS*",
    "*CCCCCS*",
    "*CSCO*",
    "*Cc1ccc(*)cc1",
    "*CC(*)CC",
    "*CC(*)CCC",
    f"*C{'C' * 40}*",
    "*CCC=CC*",
]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    for name, rows in (("EPS", EPS), ("Egc", EGC)):
        (tmp_path / f"{name}.csv").write_text("psmiles,value\n" + "".join(f"{p},1.0\n" for p in rows))
    return tmp_path


def test_splits_share_no_chain_and_known_polymers_train(tables: Path) -> None:
    settings = Settings(train=len(KNOWN) + 3, validation=2, test=3)
    plan = make_plan(settings, tables, Exclusion(["*C(F)C*"]))
    libraries = [task for task in plan if task.kind == "library"]
    count = {s: sum(task.split == s for task in libraries) for s in ("train", "validation", "test")}
    assert count == {"train": len(KNOWN) + 3, "validation": 2, "test": 3}
    assert [t.psmiles for t in plan if t.kind == "reference"] == [
        t.psmiles for t in libraries if t.split == "test"
    ]
    chosen = [task.psmiles for task in libraries]
    assert len(set(chosen)) == len(chosen)
    assert {t.psmiles for t in libraries if t.split == "train"} >= set(KNOWN)
    # a spelling of poly(ethylene oxide), an isotope, an excluded polymer, phosphorus, too large
    assert not {"*OCC*", "*C([2H])O*", "*CC(*)F", "*CC[P](C)*", EGC[6]} & set(chosen)
    assert plan == make_plan(settings, tables, Exclusion(["*C(F)C*"]))
    assert len({task.name for task in plan}) == len(plan)
    more = make_plan(replace(settings, train=len(KNOWN) + 5), tables, Exclusion(["*C(F)C*"]))
    assert set(more) > set(plan)
    assert {task.split for task in set(more) - set(plan)} == {"train"}
    longer = make_plan(replace(settings, long=2), tables, Exclusion(["*C(F)C*"]))
    assert longer[:-2] == plan
    assert [(t.psmiles, t.kind) for t in longer[-2:]] == [
        (t.psmiles, "long") for t in libraries if t.split == "test"
    ][:2]


def test_more_test_polymers_come_last_but_for_long_chains(tables: Path) -> None:
    settings = Settings(train=len(KNOWN) + 3, validation=2, test=3, long=1)
    plan = make_plan(settings, tables, Exclusion())
    more = make_plan(settings, tables, Exclusion(), ["*CCSCCO*"])
    assert [t for t in more if t.psmiles != "*CCSCCO*"] == plan
    assert [(t.psmiles, t.split, t.kind) for t in more[-3:-1]] == [
        ("*CCSCCO*", "test", "library"),
        ("*CCSCCO*", "test", "reference"),
    ]
    for refused in ("*OCC*", "*CCSCCO*", EPS[6]):  # in the plan, excluded, phosphorus
        with pytest.raises(ValueError, match="cannot be one more test polymer"):
            make_plan(settings, tables, Exclusion(["*CCSCCO*"]), [refused])
    with pytest.raises(ValueError, match="cannot be one more test polymer"):
        make_plan(settings, tables, Exclusion(), ["*CCSCCO*", "*CSCCOC*"])


def test_too_few_polymers_are_an_error(tables: Path) -> None:
    with pytest.raises(ValueError, match="polymers that fit, not 230"):
        make_plan(Settings(), tables, Exclusion())
    with pytest.raises(ValueError, match=r"no file .*EPS\.csv"):
        make_plan(Settings(), tables / "none", Exclusion())

"""`polymd.properties.predict` with the shipped models, and with one of a user's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polymd.datasets.properties import TABLES
from polymd.properties import predict
from polymd.properties.blending import NetworkFolds
from polymd.properties.estimates import WITHIN_90, Estimates, calibration, coverage
from polymd.properties.evaluation import evaluate_members
from polymd.properties.prediction import COLUMNS, SHIPPED
from polymd.properties.process_training import train_processes
from polymd.properties.property_model import PropertyModel
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable, read_tables
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles

CHAINS = list(dict.fromkeys(random_psmiles(60, seed=7)))


def table(name: str = "colour", logarithmic: bool = False) -> TrainingTable:
    values = np.array([2.0 + 0.2 * p.count("O") + 0.7 * p.count("c1") for p in CHAINS])
    fold = np.arange(len(CHAINS)) % 5
    return TrainingTable(name, "nm", "made up", CHAINS, values, fold, logarithmic)


def test_every_target_of_polystyrene() -> None:
    found = predict("*CC(*)c1ccccc1")
    assert tuple(found.columns) == COLUMNS
    assert list(found["property"]) == list(TABLES)
    assert list(found["unit"]) == [entry.unit for entry in TABLES.values()]
    values = found.set_index("property")
    assert values["in_domain"].all()
    assert ((values["lower"] < values["value"]) & (values["value"] < values["upper"])).all()
    np.testing.assert_allclose(values["upper"] - values["lower"], 2 * WITHIN_90 * values["uncertainty"])
    assert values.loc["Tg", "value"] == pytest.approx(373, abs=15)
    assert values.loc["density", "value"] == pytest.approx(1.0, abs=0.05)


def test_all_spellings_say_the_same() -> None:
    spellings = ["*CCO*", "*COC*", "*CCOCCO*", "*OCCOCCOCC*"]
    found = predict(spellings, ["Tg", "Eat"], model="gp")
    assert list(found["psmiles"]) == [p for p in spellings for _ in range(2)]
    for name in ("Tg", "Eat"):
        rows = found[found["property"] == name]
        for column in ("value", "uncertainty"):
            np.testing.assert_allclose(rows[column], rows[column].iloc[0], rtol=SPELLING_RTOL)


def test_knows_what_it_does_not_know() -> None:
    assert predict("*CC(*)C", "Egc")["in_domain"].item()
    assert not predict("*[Ge](C)(C)O*", "Tg")["in_domain"].item()
    assert not predict("*C1C2C3C1C1C3C2C1*", "Nc")["in_domain"].item()


def test_shipped_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.parent.iterdir()) < 40e6


def test_shipped_models_are_calibrated() -> None:
    shipped = PropertyModel.load(SHIPPED)
    for name in shipped.names():
        assert 0.85 < shipped.card(name)["errors"]["coverage_90"] < 0.95, name


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    tables = {"colour": table(), "size": table("size", logarithmic=True)}
    model = PropertyModel(train_processes(tables)[0])
    model.save(tmp_path / "mine.safetensors")
    found = predict(CHAINS[:5], model=tmp_path / "mine.safetensors")
    assert list(found["property"].unique()) == ["colour", "size"]
    direct = model.predict(["colour"], read_chains(CHAINS[:5]))["colour"]
    mine = found[found["property"] == "colour"]
    np.testing.assert_allclose(mine["value"], direct.mean, rtol=SPELLING_RTOL)
    np.testing.assert_array_equal(mine["in_domain"], direct.inside)
    size = found[found["property"] == "size"]
    np.testing.assert_allclose(size["upper"] / size["value"], size["value"] / size["lower"])
    np.testing.assert_allclose(size["value"], table().values[:5], rtol=0.05)


def test_calibration_covers_nine_of_ten() -> None:
    errors = np.random.default_rng(0).normal(scale=3.0, size=4000)
    factor = calibration(errors, np.ones(4000))
    assert factor == pytest.approx(3.0, rel=0.05)
    assert coverage(errors, np.full(4000, factor)) == pytest.approx(0.9, abs=0.001)
    low, middle, high = Estimates(np.zeros(2), np.ones(2), np.ones(2, bool), True).interval()
    np.testing.assert_allclose([low[0] * high[0], middle[0]], 1.0)


def test_reads_a_table(tmp_path: Path) -> None:
    path = tmp_path / "colour.csv"
    pd.DataFrame({"psmiles": CHAINS, "value": table().values}).to_csv(path, index=False)
    read = read_tables([str(path)], unit="nm")["colour"]
    assert (read.unit, read.source, len(read.psmiles)) == ("nm", "colour.csv", len(CHAINS))
    assert np.bincount(read.fold).min() >= len(CHAINS) // 5 - 1
    assert read.fold.max() == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("psmiles,size\n*CC*,1\n", "no column \\['value'\\]"),
        ("psmiles,value\n*CC*,1\n", "has 1 rows; allowed: 20 or more"),
        ("psmiles,value\n" + "*CC*,1\n" * 20 + "*CCO*,big\n", "line 22: value 'big' is no finite number"),
        ("psmiles,value\n" + "*CC*,1\n" * 20 + "CCO,1\n", "line 22: bad P-SMILES 'CCO'"),
    ],
)
def test_refuses_bad_tables(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_tables([str(tmp_path / "mine.csv")])


def test_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"no property 'Ecg' in this model; .*did you mean 'Egc'"):
        predict("*CC*", "Ecg")
    with pytest.raises(ValueError, match="no model 'best'; allowed: auto, gp, trees, mips"):
        predict("*CC*", model="best")
    with pytest.raises(ValueError, match="no polymers were given"):
        predict([])
    with pytest.raises(ValueError, match="polymer 2 of 2: bad P-SMILES 'CC'"):
        predict(["*CC*", "CC"], "Nc")
    with pytest.raises(ValueError, match="neither a shipped target nor a CSV file"):
        read_tables(["colour"])


def test_members_and_their_blend_are_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"colour": table(logarithmic=True)}
    targets, fold = tables["colour"].targets, tables["colour"].fold
    unseen = (fold != np.arange(5)[:, None]) & (np.arange(len(fold)) % 3 == 0)
    exact = {"colour": NetworkFolds(np.tile(targets, (5, 1)), unseen)}
    monkeypatch.setattr("polymd.properties.training_tables.read_tables", lambda *_, **__: tables)
    results, said = evaluate_members(["colour"], {"trees": lambda _: exact})
    assert [r["model"] for r in results] == ["gp", "blend", "trees"]
    assert results[2]["rmse"] == pytest.approx(0.0, abs=1e-9)
    assert results[1]["rmse"] < results[0]["rmse"]
    assert list(said.columns) == ["property", "psmiles", "fold", "value", "blend", "gp", "trees"]
    np.testing.assert_allclose(said["trees"], said["value"])

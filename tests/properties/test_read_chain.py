"""Polymers that are read once, here or by another process."""

import dataclasses
import json

import numpy as np
import pytest

from polymd.properties.read_chain import ReadChain, read_chains, reading

CHAINS = ["*C*", "*CCO*", "*CC(*)c1ccccc1", "*Oc1ccc(C(C)(C)c2ccc(OC(*)=O)cc2)cc1", "*[Si](C)(C)O*", "*C=C*"]


def assert_same(one: ReadChain, other: ReadChain) -> None:
    """Of everything that was read, to the last bit."""
    assert one.psmiles == other.psmiles
    for read, again in ((one.graph, other.graph), (one.fingerprint, other.fingerprint)):
        for field in dataclasses.fields(read):
            value, same = getattr(read, field.name), getattr(again, field.name)
            assert type(value) is type(same)
            if isinstance(value, np.ndarray):
                assert value.dtype == same.dtype
                np.testing.assert_array_equal(value, same)
            else:
                assert value == same


@pytest.mark.parametrize("psmiles", CHAINS)
def test_records_bring_back_what_was_read(psmiles: str) -> None:
    chain = ReadChain(psmiles)
    assert_same(chain, ReadChain.of_record(json.loads(json.dumps(chain.record()))))


def test_many_are_read_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polymd.properties.read_chain.MANY", 2)
    with reading(CHAINS) as wait:
        found = wait()
    for chain, psmiles in zip(found, CHAINS, strict=True):
        assert "fingerprint" in chain.__dict__  # not read again here
        assert_same(chain, ReadChain(psmiles))


def test_what_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polymd.properties.read_chain.MANY", 2)
    with reading(["*CC*", "CC*"]) as wait, pytest.raises(ValueError, match="polymer 2 of 2"):
        wait()
    with pytest.raises(ValueError, match="polymer 2 of 2"):
        read_chains(["*CC*", "CC"])

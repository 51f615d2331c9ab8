"""Kept results: for a time, within a size, until they are to be forgotten."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("starlette")

from cnn_gap.serve.problems import Problem
from cnn_gap.serve.store import Store


def result(size=1000):
    return SimpleNamespace(record=SimpleNamespace(signal=np.zeros(size, np.uint8)))


def test_results_are_forgotten_after_their_time():
    now = [0.0]
    store = Store(10.0, 1 << 20, lambda: now[0])
    first = store.add(result(), "a")
    now[0] = 6.0
    second = store.add(result(), "b")
    assert len(first) == 43 and first != second
    assert list(store.collection("a")) == [first]
    now[0] = 10.5
    assert len(store) == 1 and not store.collection("a")
    with pytest.raises(Problem, match="forgotten"):
        store.get(first)
    store.forget([second, "unknown"])
    assert len(store) == 0


def test_the_oldest_are_forgotten_where_there_are_too_many():
    store = Store(10.0, 100_000)
    kept = [store.add(result(20_000), "a") for _ in range(4)]
    assert list(store.collection("a")) == kept[2:]
    store.get(kept[3]).drawn["pdf"] = bytes(50_000)
    assert list(store.collection("a")) == kept[3:]

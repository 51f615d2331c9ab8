"""Damaged annotation files are read or refused, and the reading always ends."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_gap.io.annotations import Event, read_events, write_events
from cnn_gap.system.errors import InputError

EVENTS = (Event("QRS", 0.1, 0.2), Event("AF", 0.15, 900.0), Event("T", 0.3, 0.45))


def test_events_far_apart_read_back(tmp_path):
    write_events(tmp_path / "a.atr", EVENTS, 100, 100_000)
    assert read_events(tmp_path / "a.atr") == EVENTS


def test_wfdb_reads_the_same(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    write_events(tmp_path / "a.atr", EVENTS, 100, 100_000)
    notes = wfdb.rdann(str(tmp_path / "a"), "atr")
    assert notes.sample.tolist() == sorted(round(t * 100) for e in EVENTS for t in (e.start_s, e.end_s))


def test_a_definition_that_is_none_does_not_hang(tmp_path):
    write_events(tmp_path / "a.atr", EVENTS, 100, 100_000)
    content = (tmp_path / "a.atr").read_bytes()
    (tmp_path / "a.atr").write_bytes(content.replace(b"## time resolution", b"## tine resolution"))
    with pytest.raises(InputError, match=r"a\.atr: does not say its sampling rate"):
        read_events(tmp_path / "a.atr")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_read_or_refused(tmp_path, data):
    write_events(tmp_path / "a.atr", EVENTS, 100, 100_000)
    content = np.frombuffer((tmp_path / "a.atr").read_bytes(), np.uint8).copy()
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a.atr").write_bytes(content.tobytes()[: data.draw(st.integers(0, len(content)))])
    try:
        read_events(tmp_path / "a.atr")
    except InputError as error:
        assert str(error).startswith(str(tmp_path))

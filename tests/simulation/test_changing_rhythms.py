"""Simulated recordings whose rhythm changes."""

import numpy as np
import pytest

from cnn_gap.simulation.changing_rhythms import Part, simulate_changing

SINUS, FIBRILLATION = ("426783006",), ("164889003",)


def complexes(record):
    return np.array([event.start_s for event in record.events if event.kind == "QRS"])


def test_parts_follow_one_another_with_their_events():
    record = simulate_changing("C", [Part(SINUS, 30), Part(FIBRILLATION, 20), Part(SINUS, 10)], 100.0, 1)
    assert len(record.signal) == 6000
    assert [(event.start_s, event.end_s) for event in record.events if event.kind == "AF"] == [(30.0, 50.0)]
    assert record.codes == (*SINUS, *FIBRILLATION)


@pytest.mark.parametrize("count", [3, 8])
def test_a_run_has_its_number_of_beats_in_a_row(count):
    record = simulate_changing("C", [Part(SINUS, 40, run=count)], 100.0, 1)
    early = [event.start_s for event in record.events if event.kind == "PVC"]
    assert len(early) == count
    assert np.diff(early).max() < 0.6 * np.median(np.diff(complexes(record)))


def test_a_pause_is_as_long_as_asked():
    record = simulate_changing("C", [Part(SINUS, 40, pause_s=4.0)], 100.0, 1)
    assert np.diff(complexes(record)).max() == pytest.approx(4.0)


def test_an_artefact_hides_the_heart():
    record = simulate_changing("C", [Part(SINUS, 20), Part(SINUS, 10, artefact=True)], 100.0, 1)
    assert [event.kind for event in record.events if event.start_s >= 20] == ["artefact"]
    assert record.signal[2000:].std() > 3 * record.signal[:2000].std()

"""What the benchmarks of the activation maps measure, on maps and networks whose right answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_benchmark_results import tables

from benchmarks import explain, pointing
from benchmarks.estimates import mean, proportion
from benchmarks.pointing import (
    SIGNS,
    agreed_beats,
    beats_of_lead_two,
    point,
    premature_beats,
    premature_truth,
    simulated_truth,
)
from cnn_gap.annotations import Event
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.heart_conditions import CODES


def test_proportion():
    """Wilson's interval of 8 of 10, by his formula."""
    found = proportion([True] * 8 + [False] * 2)
    z = 1.959964
    centre, half = (0.8 + z**2 / 20) / (1 + z**2 / 10), z * math.sqrt(0.016 + z**2 / 400) / (1 + z**2 / 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, centre - half, centre + half), abs=1e-6)
    assert str(proportion([])) == "-"


def test_mean_leaves_out_what_is_not_known():
    values = np.random.default_rng(0).normal(3, 1, 400)
    found = mean([*values, math.nan])
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert str(mean([0.5, math.nan])) == "0.500"
    assert str(mean([math.nan])) == "-"


def test_a_map_that_peaks_inside_scores_1():
    times = np.arange(1000) / 100
    result = point(np.exp(-(((times - 4.5) / 0.1) ** 2)), 100.0, [(1.0, 2.0), (4.0, 5.0)])
    assert result.hit
    assert result.inside == pytest.approx(1, abs=1e-4)
    beside = point(np.exp(-(((times - 7) / 0.1) ** 2)), 100.0, [(1.0, 2.0), (4.0, 5.0)])
    assert not beside.hit
    assert beside.inside == pytest.approx(0, abs=1e-4)


@given(st.lists(st.tuples(st.floats(-1, 10), st.floats(0, 2)), max_size=5))
def test_a_flat_map_scores_the_chance(places):
    intervals = [(start, start + length) for start, length in places]
    result = point(np.full(1000, 0.3, np.float32), 100.0, intervals)
    assert result.inside == pytest.approx(result.chance)


def test_only_what_speaks_for_the_class_counts():
    activation = np.array([-5.0, 1.0, -5.0, 3.0])
    assert point(activation, 1.0, [(0.0, 1.0)]).inside == 0.25
    assert math.isnan(point(-np.ones(4), 1.0, [(0.0, 1.0)]).inside)


def test_conduction_is_from_p_to_the_end_of_its_qrs():
    events = [Event("P", 0.1, 0.2), Event("QRS", 0.3, 0.4), Event("QRS", 0.9, 1.0), Event("P", 1.5, 1.6)]
    assert SIGNS["IAVB"](events) == [(0.1, 0.4)]


def test_simulated_truth_is_where_the_premature_beat_is():
    truth = simulated_truth("PAC", 3, seed=0)
    simulated = simulate_record("PAC1", [CODES["PAC"], CODES["NSR"]], 500.0, 10.0, [0, int(CODES["PAC"]), 1])
    np.testing.assert_allclose(truth.records[1].signal, simulated.signal, atol=1e-6)
    beats = [event for event in simulated.events if event.kind == "PAC"]
    assert truth.intervals[1] == tuple((beat.start_s - 0.1, beat.end_s + 0.1) for beat in beats)


@pytest.mark.parametrize("abbreviation", SIGNS)
def test_every_sign_is_in_the_simulated_records(abbreviation):
    (record,) = simulated_truth(abbreviation, 1, seed=1).records
    (intervals,) = simulated_truth(abbreviation, 1, seed=1).intervals
    assert intervals
    assert 0 < pointing.covered(len(record.signal), record.sampling_rate, intervals).mean() < 1


def test_premature_beats_come_early_and_before_a_pause():
    regular = np.arange(10.0)
    early = regular.copy()
    early[5] -= 0.3
    assert list(premature_beats(early)) == [4.7]
    without_pause = np.concatenate([regular[:5], regular[5:] - 0.3])
    assert list(premature_beats(without_pause)) == []
    assert list(premature_beats(regular)) == list(premature_beats(np.array([]))) == []


@pytest.mark.parametrize("find_beats", [beats_of_lead_two, agreed_beats])
def test_premature_beats_are_found_at_their_true_times(find_beats):
    truth = simulated_truth("PAC", 6, seed=3)
    found = premature_truth(truth.records, find_beats)
    middles = {record.name: truth.intervals[at] for at, record in enumerate(truth.records)}
    assert len(found.records) >= 5
    for record, intervals in zip(found.records, found.intervals, strict=True):
        for start, _ in intervals:
            peak = start + pointing.PREMATURE_S[0]
            assert any(low < peak < high for low, high in middles[record.name])


@pytest.fixture(scope="module")
def premature(tmp_path_factory):
    """A folder of simulated records with premature atrial beats."""
    folder = tmp_path_factory.mktemp("premature")
    for index in range(4):
        codes = [CODES["PAC"], CODES["NSR"]]
        write_simulated(folder, simulate_record(f"P{index}", codes, 100.0, 10.0, seed=index))
    return folder


def test_pointing_tables(premature, model, run_command):
    arguments = [premature, model, "--simulated", 2, "--only", "simulated", "premature"]
    result = run_command(explain, arguments)
    assert result.code == 0, result.err
    simulated, real = tables(result.out)
    assert list(simulated) == list(SIGNS)
    assert {row[0] for row in simulated.values()} == {"2"}
    assert list(real) == list(explain.BEAT_FINDERS)
    assert all(row[0].endswith("of 4") for row in real.values())
    assert all(0 < float(row[1]) < 1 for row in [*simulated.values(), *real.values()])


def test_records_without_premature_beats_are_refused(tmp_path, model, run_command):
    write_simulated(tmp_path, simulate_record("N1", [CODES["NSR"]], 100.0, 10.0, seed=0))
    result = run_command(explain, [tmp_path, model, "--only", "premature"])
    assert result.code == 1
    assert "no record is labelled with premature atrial beats" in result.err

"""The measurements of the activation maps, on maps and networks whose right figures are known."""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.common import Study
from benchmarks.estimates import mean, proportion
from benchmarks.maps import faithfulness, pointing, waves
from benchmarks.maps.faithfulness import Case
from benchmarks.maps.pointing import SIGNS, Pointing, point, premature_beats, premature_truth, simulated_truth
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.annotations import Event
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.heart_conditions import code_of
from cnn_gap.system.errors import InputError


def test_proportion():
    """Wilson's interval of 8 of 10, by his formula."""
    found = proportion([True] * 8 + [False] * 2)
    z = 1.959964
    centre, half = (0.8 + z**2 / 20) / (1 + z**2 / 10), z * math.sqrt(0.016 + z**2 / 400) / (1 + z**2 / 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, centre - half, centre + half), abs=1e-6)
    assert str(proportion([])) == "-"


def test_mean_leaves_out_unknown_values():
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


def test_the_negative_part_of_a_map_does_not_count():
    activation = np.array([-5.0, 1.0, -5.0, 3.0])
    assert point(activation, 1.0, [(0.0, 1.0)]).inside == 0.25
    assert math.isnan(point(-np.ones(4), 1.0, [(0.0, 1.0)]).inside)


def test_conduction_is_from_p_to_the_end_of_its_qrs():
    events = [Event("P", 0.1, 0.2), Event("QRS", 0.3, 0.4), Event("QRS", 0.9, 1.0), Event("P", 1.5, 1.6)]
    assert SIGNS["IAVB"](events) == [(0.1, 0.4)]


@pytest.mark.parametrize("abbreviation", SIGNS)
def test_every_sign_is_in_the_simulated_records(abbreviation):
    truth = simulated_truth(abbreviation, 1, seed=1)
    (record,), (intervals,) = truth.records, truth.intervals
    assert intervals
    assert 0 < pointing.covered(len(record.signal), record.sampling_rate, intervals).mean() < 1


def test_premature_beats_come_early_and_before_a_pause():
    regular = np.arange(10.0)
    early = regular.copy()
    early[5] -= 0.3
    assert list(premature_beats(early)) == [4.7]
    without_pause = np.concatenate([regular[:5], regular[5:] - 0.3])
    assert list(premature_beats(without_pause)) == []
    assert list(premature_beats(without_pause, with_pause=False)) == [4.7]
    assert list(premature_beats(early[:6])) == []
    assert list(premature_beats(early[:6], with_pause=False)) == [4.7]
    assert list(premature_beats(regular)) == list(premature_beats(np.array([]))) == []


def test_premature_beats_are_found_at_their_true_times():
    truth = simulated_truth("PAC", 3, seed=3)
    found = premature_truth(truth.records)
    middles = {record.name: truth.intervals[at] for at, record in enumerate(truth.records)}
    assert len(found.records) >= 2
    for record, intervals in zip(found.records, found.intervals, strict=True):
        for start, _ in intervals:
            peak = start + pointing.PREMATURE_S[0]
            assert any(low < peak < high for low, high in middles[record.name])


def test_records_without_premature_beats_are_refused(tmp_path):
    write_simulated(tmp_path, simulate_record("N1", [code_of("NSR")], 100.0, 10.0, seed=0))
    with pytest.raises(InputError, match="no record is labelled with premature atrial beats"):
        next(pointing.premature(Study(None, {"data": tmp_path})))


@dataclass
class Linear:
    """A classifier whose probability of its only class is a weighted sum of the window (samples, 1)."""

    weights: np.ndarray

    def run_with_maps(self, windows):
        """Return the probabilities, and no maps."""
        return (windows[..., 0] @ self.weights)[:, None], None

    def gradients(self, windows, columns):
        """Return the weights."""
        return self.weights[None, None, :, None]


@pytest.fixture(scope="module")
def linear():
    """A linear classifier, and a case whose map is the true share of each of 100 steps in its probability."""
    rng = np.random.default_rng(1)
    shares = rng.exponential(size=100) ** 2
    shares /= shares.sum()
    window = rng.random((1000, 1)).astype(np.float32)
    weights = np.repeat(shares / window.reshape(100, 10).sum(axis=1), 10)
    return Linear(weights), Case(window, np.arange(1000), 0, shares)


def test_the_perfect_order_has_the_known_areas(linear):
    classifier, case = linear
    found = faithfulness.areas(classifier, [case], faithfulness.WAYS, piece_steps=1)
    falling = np.cumsum([0, *np.sort(case.activation)[::-1]])[::10]
    expected = [np.trapezoid(1 - falling) / 10, np.trapezoid(falling) / 10]
    assert found["map"][0] == pytest.approx(expected)
    assert found["gradient × input"][0] == pytest.approx(expected)  # it is exact for a linear classifier
    assert found["map"][0, 0] < 0.3 < found["chance"][0, 0] < 0.7 < found["map"][0, 1]
    rows = faithfulness.area_table("t", found).rows
    assert [row[0] for row in rows][3:] == [
        "map, difference from gradient × input",
        "map, difference from chance",
    ]
    assert rows[3][2].value == pytest.approx(0, abs=1e-6)


def test_curves_begin_and_end_with_everything_and_nothing(linear):
    classifier, case = linear
    deletion, insertion = faithfulness.probability_curves(classifier, case, case.activation)
    assert deletion[[0, -1]] == pytest.approx([1, 0], abs=1e-6)
    assert insertion[[0, -1]] == pytest.approx([0, 1], abs=1e-6)


def test_margins_lose_the_pieces_that_they_repeat():
    places = np.array([1, 0, 0, 1, 2, 3, 3, 2])  # a margin of two samples at both ends
    case = Case(np.ones((8, 12), np.float32), places, 0, np.zeros(2))
    left = case.without(np.array([True, False]))
    assert left[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    np.testing.assert_array_equal(case.without(np.zeros(2, bool)), case.window)


def test_cases_are_the_answers_of_whole_windows(tmp_path, with_findings):
    for name, seconds in (("A1", 5.0), ("A2", 20.0)):
        write_simulated(tmp_path, simulate_record(name, [code_of("AF")], 100.0, seconds, seed=0))
    study = Study(with_findings, {"data": tmp_path})
    cases = faithfulness.answered_cases(study)
    samples = with_findings.description.preprocessing.input_samples
    assert {case.window.shape for case in cases} == {(samples, 12)}
    (maps,) = with_findings.run_with_maps(cases[0].window[None])[1]
    for case in cases:
        np.testing.assert_allclose(case.activation, maps[:, case.column], rtol=1e-5)


def test_random_weights_leave_the_layers_below(with_findings):
    network = with_findings.network
    cascade = faithfulness.cascade(network)
    assert list(cascade) == ["the dense layer", "and the last block", "and the last half of the blocks", "all"]
    assert cascade["the dense layer"] == ["probabilities"]
    names = cascade["and the last block"]
    assert set(names) == {"probabilities", "block3_convolution", "block3_normalization"}
    other = faithfulness.randomised(network, names)
    for layer in network.layers:
        if "normalization" not in layer.name and layer.weights:  # trained ones may keep first values
            same = np.array_equal(layer.get_weights()[0], other.get_layer(layer.name).get_weights()[0])
            assert same == (layer.name not in names)


RECORD = record_from_signal(np.zeros((1000, 12), np.float32), 100.0, LEADS, "L1")
MARKS = {
    "i": [["p", 100, 105, 110], ["N", 120, 125, 130], ["t", 150, 155, 160], ["N", 220, 225, 230]],
    "ii": [["N", 118, 125, 128], ["t", 152, None, None], ["N", 226, 228, 236]],
}


def test_marks_of_all_leads_that_overlap_are_one_wave():
    found = waves.waves_of(RECORD, MARKS)
    assert found == {"p": [(1.0, 1.1)], "N": [(1.18, 1.3), (2.2, 2.36)], "t": [(1.5, 1.6)]}
    assert waves.counted(RECORD, found) == slice(118, 236)


def test_findings_are_sought_in_their_waves():
    found = waves.waves_of(RECORD, MARKS)
    groups = list(waves.GROUPS.values())
    assert [group.waves(found) for group in groups] == [found["N"], [(1.3, 1.6)], [(1.0, 1.18)]]


def test_a_row_has_the_map_before_its_baselines():
    hit, miss = Pointing(True, 0.8, 0.2, True), Pointing(False, 0.1, 0.2, True)
    _, count, chance, maps, inside, signal, gradient = waves.waves_row(
        "", [(hit, miss, hit), (hit, miss, miss)]
    )
    assert (count, chance) == (2, pytest.approx(0.2))
    assert (maps.value, inside.value, signal.value, gradient.value) == (1.0, pytest.approx(0.8), 0.0, 0.5)


def test_locality_is_the_change_far_from_the_changed_end():
    class Follower:
        """Its map is lead I, and everywhere a tenth of its last sample."""

        def explain(self, record, codes=None):
            activation = record.signal[:, 0] + 0.1 * record.signal[-1, 0]
            explained = SimpleNamespace(label=True, diagnosis=diagnosis("1"), activation=activation)
            return SimpleNamespace(record=record, classes=(explained,))

    one, other = (np.full((1000, 12), value, np.float32) for value in (0.0, 1.0))
    one[500] = 1
    records = [record_from_signal(each, 100.0, LEADS) for each in (one, other)]
    assert waves.map_changes(Follower(), records) == pytest.approx([0.1 / 1.0, 0.1 / 1.1], rel=1e-5)

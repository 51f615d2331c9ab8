"""What the benchmarks of the activation maps measure, on maps and networks whose right answer is known."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_quality_tables import tables

from benchmarks.common import record_paths
from benchmarks.estimates import mean, proportion
from benchmarks.maps import explain, faithfulness, pointing, sanity
from benchmarks.maps.faithfulness import Case, answered_cases, areas, labelled_cases, with_baseline, with_lines
from benchmarks.maps.pointing import (
    SIGNS,
    agreed_beats,
    beats_of_lead_two,
    point,
    premature_beats,
    premature_truth,
    simulated_truth,
)
from benchmarks.speed import explain_speed
from benchmarks.trainings import explain_classes
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.annotations import Event
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.heart_conditions import code_of


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
    simulated = simulate_record(
        "PAC1", [code_of("PAC"), code_of("NSR")], 500.0, 10.0, [0, int(code_of("PAC")), 1]
    )
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
    assert list(premature_beats(without_pause, with_pause=False)) == [4.7]
    assert list(premature_beats(early[:6])) == []
    assert list(premature_beats(early[:6], with_pause=False)) == [4.7]
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
        codes = [code_of("PAC"), code_of("NSR")]
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
    write_simulated(tmp_path, simulate_record("N1", [code_of("NSR")], 100.0, 10.0, seed=0))
    result = run_command(explain, [tmp_path, model, "--only", "premature"])
    assert result.code == 1
    assert "no record is labelled with premature atrial beats" in result.err


@pytest.fixture(scope="module")
def classifier(model):
    from cnn_gap.classifier import load_classifier

    return load_classifier(model)


@pytest.fixture(scope="module")
def some_records(records):
    return [read_record(path) for path in record_paths(records, 3)]


def linear_classifier(weights: np.ndarray) -> SimpleNamespace:
    """Return a classifier whose probability of its only class is the weighted sum of a window."""
    return SimpleNamespace(
        description=SimpleNamespace(preprocessing=Preprocessing()),
        windows=lambda record: record.signal[None],
        predict_windows=lambda names, windows: [
            SimpleNamespace(probabilities=[(window[0] * weights).sum()]) for window in windows
        ],
    )


@pytest.fixture(scope="module")
def linear():
    """A linear classifier, a case of it, and the true shares of the 100 pieces of 0.1 s in its probability."""
    rng = np.random.default_rng(1)
    signal = rng.random((1000, 12)).astype(np.float32)
    shares = rng.exponential(size=100) ** 2
    shares /= shares.sum()
    weights = np.repeat(shares, 10)[:, None] / signal.reshape(100, 120).sum(axis=1).repeat(10)[:, None]
    case = Case(record_from_signal(signal, 100.0, LEADS, "L1"), 0)
    return linear_classifier(weights), case, shares


def test_the_perfect_order_has_the_known_areas(linear):
    classifier, case, shares = linear
    ways = {"perfect": lambda classifier, cases: [shares[:, None]], "chance": faithfulness.by_chance}
    found = areas(classifier, [case], ways, with_baseline)
    falling = np.cumsum([0, *np.sort(shares)[::-1]])[::10]
    assert found["perfect"][0] == pytest.approx([np.trapezoid(1 - falling) / 10, np.trapezoid(falling) / 10])
    assert found["perfect"][0, 0] < 0.3 < found["chance"][0, 0] < 0.7 < found["perfect"][0, 1]


def test_curves_begin_and_end_with_everything_and_nothing(classifier, some_records):
    case = Case(some_records[0], 0)
    frame = faithfulness.frame_of(classifier, case)
    (scores,) = faithfulness.by_chance(classifier, [case])
    deletion, insertion = faithfulness.probability_curves(classifier, frame, 0, [scores], with_lines)[0]
    whole = classifier.predict(case.record).probabilities[0]
    nothing = classifier.predict_windows([""], [np.zeros_like(frame.window)[None]])[0].probabilities[0]
    assert deletion[[0, -1]] == pytest.approx([whole, nothing], abs=1e-5)
    assert insertion[[0, -1]] == pytest.approx([nothing, whole], abs=1e-5)


def test_margins_lose_what_they_repeat(classifier, some_records):
    preprocessing = replace(classifier.description.preprocessing, margin_s=0.8)
    wider = replace(classifier, description=replace(classifier.description, preprocessing=preprocessing))
    frame = faithfulness.frame_of(wider, Case(some_records[0], 0))
    assert frame.signal.shape == (1000, 12)
    np.testing.assert_allclose(frame.signal[frame.places], frame.window, atol=0.03)
    absent = np.zeros((frame.pieces[-1] + 1, 1), bool)
    np.testing.assert_array_equal(frame.without(absent, with_baseline), frame.window)
    absent[frame.pieces[frame.places[0]]] = True
    left = frame.without(absent, with_baseline)
    assert frame.window[0].any()
    assert not left[0].any()
    assert np.mean(left == 0) < 0.05


def test_pieces_and_their_means():
    pieces = faithfulness.pieces_at(1030, 257.0, 0.5)
    assert list(np.unique(pieces)) == list(range(9))
    assert np.flatnonzero(np.diff(pieces))[0] + 1 == math.ceil(0.5 * 257)
    np.testing.assert_allclose(
        faithfulness.piece_means(pieces[:, None] * 2.0, pieces)[:, 0], 2.0 * np.arange(9)
    )


def test_lines_bridge_what_is_absent():
    signal = np.stack([np.arange(6.0), np.array([1.0, 9, 9, 9, 9, 1])], axis=1)
    absent = np.array([False, True, True, True, True, False])[:, None]
    np.testing.assert_allclose(with_lines(signal, absent), np.stack([np.arange(6.0), np.ones(6)], axis=1))
    assert not with_lines(signal, np.ones((6, 1), bool)).any()
    one_lead = with_lines(signal, absent & [False, True])
    np.testing.assert_allclose(one_lead, np.stack([np.arange(6.0), np.ones(6)], axis=1))


def test_cases(classifier, some_records):
    short = replace(some_records[0], signal=some_records[0].signal[:500])
    long = replace(some_records[1], signal=np.tile(some_records[1].signal, (2, 1)))
    cases = labelled_cases(classifier, [short, long], some_records[1].codes)
    assert {case.record.name for case in cases} == {long.name}
    assert {len(case.record.signal) for case in cases} == {1000}
    labels = classifier.classes.encode(some_records[1].codes)
    assert [case.column for case in cases] == list(np.flatnonzero(labels))
    answers = [np.flatnonzero(each.labels) for each in classifier.predict_batch(some_records)]
    found = answered_cases(classifier, some_records)
    assert [case.column for case in found] == list(np.concatenate(answers))


def test_a_spike_is_one_sample_of_one_lead(some_records):
    record = some_records[0]
    spiked, (start, end) = sanity.with_spike(record, 0)
    added = spiked.signal - record.signal
    ((at, _),) = np.argwhere(added)
    assert added.max() == pytest.approx(sanity.SPIKE_MV, rel=1e-4)
    assert start < at / record.sampling_rate < end


def test_random_weights_leave_the_layers_below(classifier):
    cascade = sanity.cascade(classifier.network)
    assert list(cascade) == [
        "the dense layer", "and the last block", "and the last half of the blocks", "all"
    ]  # fmt: skip
    assert cascade["the dense layer"] == ["probabilities"]
    names = cascade["and the last block"]
    assert set(names) == {"probabilities", "block3_convolution", "block3_normalization"}
    other = sanity.randomised(classifier.network, names)
    for layer in classifier.network.layers:
        if "normalization" not in layer.name and layer.weights:  # these begin with what they may end with
            same = np.array_equal(layer.get_weights()[0], other.get_layer(layer.name).get_weights()[0])
            assert same == (layer.name not in names)


def test_other_tables(records, model, monkeypatch, run_command):
    removal = "pieces of 0.5 s become 0 mV"
    monkeypatch.setattr(explain, "REMOVALS", {removal: explain.REMOVALS[removal]})
    measurements = ["faithfulness", "leads", "spike", "sanity"]
    arguments = [records, model, "--limit", 3, "--by-class", "--only", *measurements]
    result = run_command(explain, arguments)
    assert result.code == 0, result.err
    found = tables(result.out)
    assert len(found) == 3 + 3
    areas_of_ways, _, by_class = found[:3]
    differences = {f"map less {baseline}" for baseline in explain.BASELINES}
    assert set(areas_of_ways) == {*explain.TIME_WAYS, *differences}
    assert by_class
    values = {name: float(row[0].split()[0]) for name, row in areas_of_ways.items()}
    assert values["map"] - values["chance"] == pytest.approx(values["map less chance"], abs=0.002)
    leads, spike, random_weights = found[-3:]
    assert set(explain.LEAD_WAYS) < set(leads)
    shares = {name: float(row[0].split()[0]) for name, row in spike.items()}
    assert len(shares) == 4
    assert shares["before preprocessing, with the spike"] != shares["before preprocessing, as recorded"]
    assert abs(float(random_weights["all"][0].split()[0])) < 0.9


def test_class_sets_keep_codes_and_rewards():
    everything = read_weights()
    four, nine, all_of_them = explain_classes.class_sets(everything)
    assert (len(four), len(nine), all_of_them) == (4, 9, everything)
    assert {about.abbreviation for about in four.diagnoses} == set(explain_classes.SHARED)
    for one in range(4):
        for other in range(4):
            at = [everything.classes.index(four.classes[index]) for index in (one, other)]
            assert four.weights[one][other] == everything.weights[at[0]][at[1]]


def test_explain_classes(records, config_file, tmp_path, monkeypatch, run_command):
    four, nine, _ = explain_classes.class_sets(read_weights())
    monkeypatch.setattr(explain_classes, "class_sets", lambda classes: [four, nine])
    arguments = [records, records, tmp_path / "out", "--config", config_file, "--records", 2]
    result = run_command(explain_classes, arguments)
    assert result.code == 0, result.err
    (rows,) = tables(result.out)
    assert list(rows) == ["4, seed 0", "9, seed 0"]
    for row in rows.values():
        assert len(row) == len(explain_classes.HEADINGS) - 1
        assert 0 < float(row[0]) < 1

    monkeypatch.setattr(
        explain_classes, "class_sets", lambda classes: [replace(nine, classes=nine.classes[::-1])]
    )
    changed = run_command(explain_classes, arguments)
    assert changed.code == 1
    assert "was trained on other classes" in changed.err


def test_speed_table(records, model, run_command):
    result = run_command(explain_speed, [model, records, "--limit", 2, "--rounds", 1])
    assert result.code == 0
    tables = [block.splitlines()[2:] for block in result.out.split("\n\n")[1:]]
    records_alone, folders, steps = ([line.strip("| ").split(" | ") for line in lines] for lines in tables)
    assert [row[0] for row in records_alone][:2] == ["classify", "explain"]
    assert records_alone[0][2] == "1.00"
    assert folders[0][0] == "one record at a time"
    assert (steps[0][0], len(steps)) == ("reading", 10)
    assert all(float(row[1]) > 0 for row in (*records_alone, *folders))

"""What the benchmarks that classify records measure."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.common import Classified, classify, classify_labelled, record_paths, resampled
from benchmarks.quality import (
    calibration,
    databases,
    exclusive,
    lead_sets,
    lengths,
    premature_ventricular,
    rates,
    robustness,
    shifts,
    statements,
    threshold_stability,
)
from benchmarks.quality.lead_sets import with_leads
from benchmarks.quality.robustness import DISTURBANCES, HUM_MV, SPIKE_MV
from benchmarks.trainings import fine_tuning, paper_tables, recipes
from cnn_gap.diagnoses.classes import Finding, read_weights
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.simulation import draw_codes, simulate_record, write_simulated
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def record(records):
    return read_record(record_paths(records, 1)[0])


def tables(printed: str) -> list[dict[str, list[str]]]:
    """Return the cells of each printed table's rows by the first one."""
    found = []
    for block in printed.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
        if rows:
            found.append({row[0]: row[1:] for row in rows})
    return found


def classified(names: list[str], positives: list[bool], probabilities: list[float]) -> Classified:
    """Return records of which only the first class is labelled and answered."""
    classes = read_weights()
    columns = np.zeros((len(names), len(classes)))
    columns[:, 0] = positives
    outputs = columns.astype(bool)
    columns[:, 0] = probabilities
    return Classified(classes, tuple(names), outputs, outputs, columns)


def test_classified_records_can_be_chosen():
    everything = classified(["A1", "A2", "E1"], [True, False, True], [0.9, 0.1, 0.0])
    some = everything[np.array([True, True, False])]
    assert (everything.auroc, some.auroc) == (0.5, 1.0)
    assert some.names == ("A1", "A2")
    assert some.challenge_metric == 1.0
    unlabelled = everything[np.array([1])]
    assert np.isnan([unlabelled.auroc, unlabelled.challenge_metric]).all()


def test_records_without_known_diagnoses_are_refused(tmp_path, model):
    from cnn_gap.classifier import load_classifier

    unlabelled = replace(simulate_record("A1", draw_codes(0), 100.0, 10.0, seed=0), codes=("1",))
    write_simulated(tmp_path, unlabelled)
    with pytest.raises(InputError, match="no record has a diagnosis"):
        classify_labelled(load_classifier(model), tmp_path)


def test_databases_are_told_by_the_names():
    groups = databases.by_database(classified(["A1", "HR1", "A2", "X3"], [True] * 4, [0.5] * 4))
    sizes = {name: len(group.names) for name, group in groups.items()}
    assert sizes == {"CPSC 2018 (A)": 2, "PTB-XL (HR)": 1, "unknown (X)": 1, "all": 4, "all but HR": 3}


@pytest.mark.parametrize(("needed", "counted"), [(2, 1), (3, 0)])
def test_databases_count_classes_with_enough_positives(needed, counted):
    group = classified(["A1", "A2", "A3"], [True, True, False], [0.9, 0.3, 0.3])
    _, count, auroc, classes, overall, occurring, _ = databases.database_row("", group, needed)
    assert (count, classes, overall, occurring) == (3, counted, 0.75, 1)
    assert np.isnan(auroc) if counted == 0 else auroc == 0.75


def test_databases(tmp_path, model, run_command):
    for index, name in enumerate(["A0001", "HR0001", "E0001", "E0002"]):
        write_simulated(tmp_path, simulate_record(name, draw_codes(index), 100.0, 10.0, seed=index))
    result = run_command(databases, [model, tmp_path, "--positives", 1])
    by_database, by_class = tables(result.out)
    assert [row[0] for row in by_database.values()] == ["1", "2", "1", "4", "3"]
    assert by_class
    assert {row[2] for row in by_class.values()} <= {"yes", "no"}


def test_only_the_leads_of_a_set_are_left(record):
    limbs = with_leads(record, ("I", "II"))
    np.testing.assert_allclose(limbs.signal[:, :6], record.signal[:, :6], atol=0.003)
    assert not limbs.signal[:, 6:].any()
    assert list(limbs.leads) == [True] * 6 + [False] * 6
    assert (limbs.codes, limbs.name) == (record.codes, record.name)
    alone = with_leads(record, ("II",))
    assert list(np.flatnonzero(alone.leads)) == [1]
    np.testing.assert_array_equal(alone.signal[:, 1], record.signal[:, 1])


def test_a_lead_that_is_absent_is_not_in_a_set(record):
    without = replace(record, leads=np.array([lead != "V2" for lead in LEADS]))
    assert not with_leads(without, ("I", "II", "V2")).leads[LEADS.index("V2")]
    with pytest.raises(InputError, match="none of the twelve leads"):
        with_leads(without, ("V2",))


def test_lead_sets(records, model, run_command):
    (rows,) = tables(run_command(lead_sets, [model, records]).out)
    assert list(rows) == list(lead_sets.LEAD_SETS)
    assert rows["12 leads"][1] == "0.00"
    assert rows["6 leads: the limbs'"] != rows["12 leads"]


def test_halves_are_all_records_in_both_orders():
    halves = list(threshold_stability.random_halves(7, 3, np.random.default_rng(0)))
    assert len(halves) == 6
    for one, other in halves:
        assert sorted([*one, *other]) == list(range(7))
    assert halves[0][0] is halves[1][1]


def test_threshold_stability(records, model, run_command):
    (rows,) = tables(run_command(threshold_stability, [model, records, "--rounds", 3]).out)
    metrics = {name: float(row[0]) for name, row in rows.items()}
    assert len(metrics) == 6
    bound = metrics["chosen on the records scored: an upper bound"]
    assert bound >= metrics["0.5 for all"]
    for way in ("as in training", "by one exact search"):
        name = f"chosen on one half, scored on the other, {way}"
        assert bound > metrics[name]
        assert float(rows[name][1]) > 0


def test_disturbances(record):
    rng = np.random.default_rng(0)
    changed = {name: disturb(record, rng).signal for name, disturb in DISTURBANCES.items()}
    assert changed["none"] is record.signal
    assert np.ptp(changed[f"a spike of {SPIKE_MV:g} mV"] - record.signal) == pytest.approx(SPIKE_MV, rel=1e-3)
    np.testing.assert_allclose(changed["gain × 5"], 5 * record.signal, rtol=1e-6)
    np.testing.assert_allclose(5 * changed["gain ÷ 5"], record.signal, rtol=1e-5)
    assert np.count_nonzero(~changed["one lead off"].any(axis=0)) == 1


@pytest.mark.parametrize("rate", [100, 250])
def test_hum_is_added_at_a_rate_that_holds_it(record, rate):
    record = resampled(record, rate)
    hummed = robustness.add_hum(record, np.random.default_rng(0))
    added = hummed.signal - resampled(record, hummed.sampling_rate).signal
    assert hummed.sampling_rate > 100
    amplitudes = np.sqrt(2) * added.std(axis=0) / HUM_MV
    assert ((amplitudes > 0.49) & (amplitudes < 1.51)).all()


def test_a_record_is_disturbed_alike_in_any_company(records, model):
    from cnn_gap.classifier import load_classifier

    classifier = load_classifier(model)
    paths = record_paths(records, 3)

    def disturb(record):
        return robustness.disturbed(record, robustness.add_wander)

    alone, together = classify(classifier, paths[2:], disturb), classify(classifier, paths, disturb)
    np.testing.assert_allclose(alone.probabilities[0], together.probabilities[2], atol=1e-5)
    assert together.mean_change(classify(classifier, paths)) > 0


def test_robustness(records, model, run_command):
    result = run_command(robustness, [model, records, "--limit", 12, "--own"])
    aurocs, falls, _, changes = tables(result.out)
    assert list(aurocs) == list(DISTURBANCES)
    assert falls["none"] == changes["none"] == ["0.00"]
    for name, (auroc,) in aurocs.items():
        assert float(falls[name][0]) == pytest.approx(float(aurocs["none"][0]) - float(auroc), abs=0.002)
    assert float(changes["gain × 5"][0]) > 0


def test_rates(records, model, run_command):
    (rows,) = tables(run_command(rates, [model, records, records, "--limit", 12]).out)
    assert list(rows) == ["DATA", "DATA_B", *(f"DATA at {rate} Hz" for rate in rates.RATES)]
    assert rows["DATA"] == rows["DATA_B"]
    assert rows["DATA"][:3] == ["0.00", "0.00", "0"]
    for row in rows.values():
        assert float(row[3]) - float(rows["DATA"][3]) == pytest.approx(float(row[4]), abs=0.002)


def test_paper_tables(records, config_file, tmp_path, run_command):
    arguments = [records, records, tmp_path, "--config", config_file, "--seeds", 3, "--epochs"]
    result = run_command(paper_tables, [*arguments, 1])
    assert result.code == 0, result.err
    scores, classes = tables(result.out)
    metrics = {name: float(row[0]) for name, row in scores.items()}
    assert metrics["weighted cross-entropy, seed 3"] == metrics["weighted cross-entropy, mean"]
    gain = metrics["Macro-Obs, mean"] - metrics["weighted cross-entropy, mean"]
    assert metrics["Macro-Obs gains"] == pytest.approx(gain, abs=0.002)
    assert metrics["Macro-Obs gains, the paper's own"] == 0.033
    assert all(len(row) == 5 for row in classes.values())

    again = run_command(paper_tables, [*arguments, 1])
    assert again.out == result.out
    assert "macro_obs-3: holds a finished training" in again.err

    other = run_command(paper_tables, [*arguments, 2])
    assert other.code == 1
    assert "was trained with training.epochs 1, not 2" in other.err


def test_class_table_of_the_paper():
    right = classified(["A1", "A2"], [True, False], [0.9, 0.1])
    wrong = replace(right, outputs=~right.labels)
    results = {"weighted_binary_crossentropy": [right, wrong], "macro_obs": [right, right]}
    (rows,) = tables(paper_tables.class_table(results))
    assert next(iter(rows.values())) == ["1", "0.500", "1.00", "0.500", "1.00"]
    assert rows["mean of the classes"][1:] == ["0.500", "1.00", "0.500", "1.00"]


def test_recipes(records, config_file, tmp_path, run_command):
    changed = tmp_path / "changed.toml"
    changed.write_text(f'base = "{config_file.name}"\n[training]\nlearning_rate = 1e-9\n')
    arguments = [records, records, tmp_path / "out", "--configs", config_file, changed, "--seeds", 0, 1]
    result = run_command(recipes, arguments)
    assert result.code == 0, result.err
    (rows,) = tables(result.out)
    first, second = rows["tiny"], rows["changed"]
    assert first[0] == second[0] == "2"
    assert [float(value) for value in first[-2:]] == [0, 0]
    assert float(second[2]) - float(first[2]) == pytest.approx(float(second[-2]), abs=0.002)
    assert run_command(recipes, arguments).out == result.out


def test_fine_tuning_classifies_each_record_once_by_a_network_that_has_not_seen_it(
    records, model, monkeypatch, run_command
):
    monkeypatch.setitem(fine_tuning.ANEW, "epochs", 1)
    result = run_command(fine_tuning, [model, records, "--parts", 2, "--positives", 3, "--exclude", "SIM004"])
    assert result.code == 0, result.err
    assert result.out.startswith("40 records in 2 parts")
    (rows,) = tables(result.out)
    assert set(rows) == {"as it is", "trained anew", "fine-tuned"}
    assert len({tuple(row) for row in rows.values()}) == 3


def test_few_records_cannot_be_divided(records, model, run_command):
    result = run_command(fine_tuning, [model, records, "--exclude", "SIM"])
    assert result.code == 1
    assert "0 records" in result.err


def test_shifts(records, model, run_command):
    result = run_command(shifts, [model, records, "--limit", 12])
    assert result.code == 0, result.err
    (rows,) = tables(result.out)
    assert list(rows) == ["1", "2", "4", "8"]
    from cnn_gap.classifier import load_classifier

    alone = classify_labelled(load_classifier(model), records, 12)
    assert float(rows["1"][0]) == pytest.approx(alone.auroc, abs=0.002)
    record = read_record(record_paths(records, 1)[0])
    assert len(shifts.without_first(0.5)(record).signal) == len(record.signal) - 50


def test_findings_do_not_count_among_the_scored():
    one = classified(["A1", "A2"], [True, False], [0.9, 0.1])
    finding = Finding(("NORM",), "SCP-ECG", "NORM", "normal ECG")
    classes = replace(one.classes, findings=(finding,))
    columns = [np.column_stack([each, [0, 1]]) for each in (one.labels, one.outputs, one.probabilities)]
    both = Classified(classes, one.names, *columns)
    assert both.scored.auroc == one.auroc
    assert both.scored.classes == one.classes


STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass
IMI,inferior,1.0,,,MI,IMI
ASMI,anteroseptal,1.0,,,MI,AMI
NORM,normal,1.0,,,NORM,NORM
AFIB,fibrillation,,,1.0,,
"""


def test_statements_are_grouped_as_in_the_published_benchmark(tmp_path):
    path = tmp_path / "scp_statements.csv"
    path.write_text(STATEMENTS)
    groups = statements.read_groups(path)
    assert set(groups) == set(statements.PUBLISHED)
    assert groups["superdiagnostic"] == {"MI": ("IMI", "ASMI"), "NORM": ("NORM",)}
    findings = tuple(Finding((code,), "SCP-ECG", code, code) for code in groups["all"])
    classes = replace(read_weights(), findings=findings)
    labels = np.zeros((4, len(classes)), bool)
    probabilities = np.zeros(labels.shape)
    columns = {code: len(classes.classes) + index for index, code in enumerate(groups["all"])}
    for row, code in enumerate(("IMI", "ASMI", "NORM", "AFIB")):
        labels[row, columns[code]] = True
    probabilities[:3, columns["IMI"]] = (0.4, 0.4, 0.5)
    probabilities[:3, columns["ASMI"]] = (0.4, 0.4, 0.0)
    records = Classified(classes, tuple("abcd"), labels, labels, probabilities)
    kept, occurring, auroc, positives, _ = statements.group_scores(records, groups["superdiagnostic"])
    assert (kept, occurring, list(positives)) == (3, 2, [2, 1])
    assert auroc == pytest.approx((1.0 + 0.5) / 2)  # MI: 0.64, 0.64 before 0.5; NORM: all alike


def test_pvc_is_counted_by_its_other_code(tmp_path):
    labelled = classified(["A1", "A2"], [True, False], [0.9, 0.1])
    for name, codes in (("A1", ("270492004",)), ("A2", ("164884008",))):
        write_simulated(tmp_path, replace(simulate_record(name, ["426783006"], 100.0, 10.0, 0), codes=codes))
    counted = premature_ventricular.with_pvc(labelled, record_paths(tmp_path, None))
    column = counted.classes.find("PVC")
    assert counted.labels[:, column].tolist() == [False, True]
    assert not labelled.labels[:, column].any()
    answered = replace(counted, outputs=np.ones_like(counted.outputs))
    assert premature_ventricular.row("", answered)[1:4] == (1, 2, 1)
    assert premature_ventricular.row("", premature_ventricular.without_pvc(answered))[2] == 0


def test_short_records_and_silence(records, model, run_command):
    by_length, silent = tables(run_command(lengths, [model, records, "--limit", 8]).out)
    assert list(by_length) == ["10 s", "6 s", "4 s", "3 s", "2 s"]
    assert silent["zeros"] == ["20", "0", "nothing", "20"]
    assert silent["white noise"][1:3] == ["0", "nothing"]


def test_calibration_errors_are_the_distance_of_steps():
    labels = np.array([True, False, True, True])
    assert calibration.calibration_error(labels, np.array([0.55, 0.55, 1.0, 1.0])) == pytest.approx(0.025)
    assert calibration.calibration_error(labels, np.array([0.0, 0.0, 0.0, 0.0])) == 0.75
    rows = calibration.reliability(labels[:, None], np.array([[0.55], [0.55], [1.0], [1.0]]))
    assert rows == [("0.5 to 0.6", 2, pytest.approx(0.55), 0.5), ("0.9 to 1", 2, 1.0, 1.0)]


def test_groups_are_by_age_and_sex():
    groups = calibration.members([39, 40, np.nan, 85], ["Female", "Male", "Unknown", "Female"])
    assert groups["women"].tolist() == [True, False, False, True]
    assert groups["0 to 39 years"].tolist() == [True, False, False, False]
    assert groups["80 years and more"].tolist() == [False, False, False, True]
    assert groups["all"].all()


def test_calibration_and_exclusive_answers(records, model, run_command, tmp_path):
    figure = tmp_path / "reliability.png"
    options = ("--positives", 1, "--others", records, "--figure", figure)
    by_class, by_step, others, by_group = tables(run_command(calibration, [model, records, *options]).out)
    assert {"mean", "largest"} < set(by_class)
    assert others == by_step
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert sum(int(row[0]) for row in by_step.values()) == 48 * 24
    assert by_group["all"][0] == "48"
    (pairs,) = tables(run_command(exclusive, [model, records]).out)
    assert len(pairs) == len(exclusive.PAIRS) + 1


def test_the_weaker_of_two_answers_is_dropped():
    one = classified(["A1", "A2"], [True, True], [0.9, 0.6])
    outputs, probabilities = one.outputs.copy(), one.probabilities.copy()
    outputs[:, 1], probabilities[:, 1] = True, (0.6, 0.9)
    changed = exclusive.without_weaker(
        replace(one, outputs=outputs, probabilities=probabilities), np.full(24, 0.5), [(0, 1)]
    )
    assert changed.outputs[:, :2].tolist() == [[True, False], [False, True]]

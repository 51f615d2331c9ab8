"""The measurements of answers, on records and classifiers whose right figures are known."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.common import Classified, Study, classify, resampled
from benchmarks.quality import (
    abroad,
    calibration,
    changes,
    databases,
    no_ecg,
    premature,
    recorders,
    scores,
    statements,
    thresholds,
)
from benchmarks.quality.changes import DISTURBANCES, HUM_MV, SPIKE_MV, with_leads
from cnn_gap.diagnoses.classes import Finding, read_weights
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def record(records):
    return read_record(find_records(records)[0])


def classified(names: list[str], positives: list[bool], probabilities: list[float]) -> Classified:
    """Return records with labels and answers of the first class only."""
    classes = read_weights()
    columns = np.zeros((len(names), len(classes)))
    columns[:, 0] = positives
    outputs = columns.astype(bool)
    columns[:, 0] = probabilities
    return Classified(classes, tuple(names), outputs, outputs, columns)


def test_the_name_of_a_record_tells_its_database():
    groups = databases.by_database(classified(["A1", "HR1", "A2", "X3"], [True] * 4, [0.5] * 4))
    sizes = {name: len(group.names) for name, group in groups.items()}
    assert sizes == {"CPSC 2018 (A)": 2, "PTB-XL (HR)": 1, "unknown (X)": 1, "all": 4, "all but PTB-XL": 3}


@pytest.mark.parametrize(("positives", "counted"), [(5, 1), (4, 0)])
def test_databases_count_classes_with_enough_positives(positives, counted):
    labels = [True] * positives + [False] * 2
    group = classified([f"A{index}" for index in range(len(labels))], labels, [0.9] * positives + [0.1, 0.9])
    _, count, auroc, classes, overall, occurring, _ = databases.database_row("", group)
    assert (count, classes, occurring, overall) == (len(labels), counted, 1, 0.75)
    assert auroc == 0.75 if counted else np.isnan(auroc)


def test_pvc_is_counted_by_its_other_code(tmp_path):
    labelled = classified(["A1", "A2"], [True, False], [0.9, 0.1])
    for name, codes in (("A1", ("270492004",)), ("A2", ("164884008",))):
        write_simulated(tmp_path, replace(simulate_record(name, ["426783006"], 100.0, 10.0, 0), codes=codes))
    counted = scores.with_pvc(labelled, find_records(tmp_path))
    column = counted.classes.find("PVC")
    assert counted.labels[:, column].tolist() == [False, True]
    assert not labelled.labels[:, column].any()
    answered = replace(counted, outputs=np.ones_like(counted.outputs))
    assert scores.scores_row("", answered)[7:10] == (1, 2, 1)
    assert scores.scores_row("", scores.without_pvc(answered))[8] == 0


def test_findings_do_not_count_among_the_scored():
    one = classified(["A1", "A2"], [True, False], [0.9, 0.1])
    classes = replace(one.classes, findings=(Finding(("NORM",), "SCP-ECG", "NORM", "normal ECG"),))
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


def test_another_table_of_statements_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"is not PTB-XL's scp_statements.csv"):
        statements.read_groups(tmp_path / "other.csv")


def test_calibration_error_and_reliability():
    labels, probabilities = np.array([True, False, True, False]), np.array([0.75, 0.75, 0.95, 0.05])
    assert calibration.calibration_error(labels, probabilities) == pytest.approx((0.5 + 0.05 + 0.05) / 4)
    rows = calibration.reliability_rows(labels, probabilities)
    assert rows == [("0 to 0.1", 1, 0.05, 0.0), ("0.7 to 0.8", 2, 0.75, 0.5), ("0.9 to 1", 1, 0.95, 1.0)]


def test_groups_of_patients():
    groups = calibration.group_members([30, 59, 60, 300], ["Male", "Female", "Female", "Unknown"])
    assert {name: list(np.flatnonzero(each)) for name, each in groups.items()} == {
        "all": [0, 1, 2, 3],
        "women": [1, 2],
        "men": [0],
        "0 to 39 years": [0],
        "40 to 59 years": [1],
        "60 to 79 years": [2],
        "80 years and more": [3],
    }


def test_only_the_leads_of_a_set_are_left(record):
    limbs = with_leads(record, ("I", "II"))
    np.testing.assert_allclose(limbs.signal[:, :6], record.signal[:, :6], atol=0.003)
    assert not limbs.signal[:, 6:].any()
    assert list(limbs.leads) == [True] * 6 + [False] * 6
    assert (limbs.codes, limbs.name) == (record.codes, record.name)
    without = replace(record, leads=np.array([lead != "V2" for lead in LEADS]))
    assert not with_leads(without, ("I", "II", "V2")).leads[LEADS.index("V2")]
    with pytest.raises(InputError, match="none of the twelve leads"):
        with_leads(without, ("V2",))


def test_disturbances(record):
    changed = {name: changes.disturbed(record, disturb).signal for name, disturb in DISTURBANCES.items()}
    assert np.ptp(changed[f"a spike of {SPIKE_MV:g} mV"] - record.signal) == pytest.approx(SPIKE_MV, rel=1e-3)
    np.testing.assert_allclose(changed["gain × 5"], 5 * record.signal, rtol=1e-6)
    np.testing.assert_allclose(5 * changed["gain ÷ 5"], record.signal, rtol=1e-5)
    assert np.count_nonzero(~changed["one lead off"].any(axis=0)) == 1


@pytest.mark.parametrize("rate", [100, 250])
def test_hum_is_added_at_a_rate_that_holds_it(record, rate):
    slow = resampled(record, rate)
    hummed = changes.add_hum(slow, np.random.default_rng(0))
    added = hummed.signal - resampled(slow, hummed.sampling_rate).signal
    assert hummed.sampling_rate > 100
    amplitudes = np.sqrt(2) * added.std(axis=0) / HUM_MV
    assert ((amplitudes > 0.49) & (amplitudes < 1.51)).all()


def test_changes_are_compared_with_the_records_as_they_are(records, with_findings, monkeypatch):
    monkeypatch.setattr(changes, "LENGTHS_S", (10, 4))
    (table,) = changes.lengths(Study(with_findings, {"data": records}, limit=6))
    rows = {row[0]: row[1:] for row in table.rows}
    assert list(rows) == ["as recorded", "first 10 s", "first 4 s"]
    assert rows["first 10 s"] == rows["as recorded"]
    assert rows["as recorded"][1] == rows["as recorded"][4] == rows["as recorded"][5] == 0
    assert rows["first 4 s"][1] == pytest.approx(rows["first 4 s"][0] - rows["as recorded"][0])
    assert rows["first 4 s"][4] > 0


def test_a_record_is_disturbed_alike_in_any_company(records, with_findings):
    paths = find_records(records)[:3]

    def disturb(record):
        return changes.disturbed(record, changes.add_wander)

    alone, together = (classify(with_findings, some, disturb) for some in (paths[2:], paths))
    np.testing.assert_allclose(alone.probabilities[0], together.probabilities[2], atol=1e-5)
    assert together.mean_change(classify(with_findings, paths)) > 0


def test_thresholds_chosen_on_the_scored_records_bound_all_others(monkeypatch):
    monkeypatch.setattr(thresholds, "DRAWS", 4)
    rng = np.random.default_rng(0)
    labels = rng.random((40, 24)) < 0.2
    probabilities = np.clip(0.6 * labels + rng.random(labels.shape) * 0.5, 0, 1)
    records = Classified(read_weights(), tuple(map(str, range(40))), labels, labels, probabilities)
    halves = list(thresholds.random_halves(40, 1, rng))
    assert len(halves) == 2
    assert all(sorted([*one, *other]) == list(range(40)) for one, other in halves)
    rows = {
        row[0]: row[1]
        for row in thresholds.threshold_rows(records, np.full(24, 0.5), np.ones(24, bool), halves)
    }
    bound = rows.pop("chosen on the records scored: an upper bound")
    assert len(rows) == 5
    assert all(bound >= value for value in rows.values())
    count, own, adapted, gained, draws, *errors = thresholds.local_row(records, np.full(24, 0.99), 20)
    assert (count, gained) == ("20", pytest.approx(adapted - own))
    assert gained > 0
    assert 2 <= draws <= 4
    assert len(errors) == 4


def test_signals_without_an_ecg_are_refused_with_a_reason(with_findings):
    records = no_ecg.signals(no_ecg.KINDS["zeros"])
    assert [record.sampling_rate for record in records] == [100.0] * 10 + [500.0] * 10
    predictions = with_findings.predict_batch(records)
    assert isinstance(predictions[0], Prediction)
    assert no_ecg.kind_row("zeros", predictions) == ("zeros", 20, 20, 20, "none")


def test_other_recorders_pass_their_band():
    times = np.arange(5000) / 500
    waves = np.sin(2 * np.pi * np.array([[5.0], [50.0]]) * times).T.astype(np.float32)
    record = record_from_signal(waves, 500.0, ["I", "II"], "R")
    for changed in (recorders.band_limited(record, 0.5, 20.0), recorders.notched(record, 50.0)):
        kept = np.ptp(changed.signal[2500:, :2], axis=0) / 2
        assert kept[0] == pytest.approx(1, abs=0.1)
        assert kept[1] < 0.2
    gains = recorders.misgained(record, np.random.default_rng(0), 0.2).signal[1:, :2] / record.signal[1:, :2]
    assert 0.8 <= np.nanmin(gains) < np.nanmax(gains) <= 1.2001


def test_answers_at_other_hospitals_are_counted_by_their_reason():
    classes = read_weights()
    names = tuple(f"{database}{number}" for database in "AE" for number in range(6))
    labels, probabilities = (np.zeros((12, len(classes)), kind) for kind in (bool, float))
    sinus, slow, fibrillation, left = (classes.find(each) for each in ("NSR", "SB", "AF", "LAD"))
    labels[:6, sinus] = labels[6:, slow] = labels[0, fibrillation] = labels[7, left] = True
    probabilities[:, sinus] = 0.95
    probabilities[0, left] = probabilities[6, left] = probabilities[7, left] = 0.92
    found = Classified(classes, names, labels, labels, probabilities)
    used = abroad.used_classes(found)
    assert used[:, left].tolist() == [False] * 6 + [True] * 6
    rows = {name: counts for name, *counts in abroad.sure_rows(found, used)}
    assert rows["all"][:2] == [15, 7]
    assert rows["sinus rhythms"][:2] == [12, 6]
    assert rows["others, of classes that the database uses"][:2] == [2, 1]
    assert rows["others, of classes that it does not use"][:2] == [1, 0]
    assert rows["records with a sure sinus rhythm, not contradicted"][:2] == [12, 11]
    databases = np.array([name[0] for name in names])
    scaled = abroad.left_out(found, databases, used).probabilities
    # Only the other database calibrates: A's probabilities of left axis are fitted to E's labels, and E's stay.
    assert scaled[0, left] != 0.92
    assert scaled[7, left] == pytest.approx(0.92)


def test_premature_beats_are_ranked_by_what_other_records_tell():
    codes = [("PAC", "284470004"), ("284470004",), (), ()] * 10  # the second: a label without an early beat
    kinds = [frozenset("NA"), frozenset("N"), frozenset("NV"), frozenset("N")] * 10
    parts = [
        premature.Part(
            Record(f"R{number}", np.zeros((1, 12)), LEADS, 100.0, codes=each), np.empty(0), False, False, kind
        )
        for number, (each, kind) in enumerate(zip(codes, kinds, strict=True))
    ]
    early = np.tile([1.0, 0.0, 0.0, 0.0], 10)
    noise = np.random.default_rng(0).normal(size=40)
    answers = premature.Answers(parts, noise, noise, 4 * early, early < 0, early > 0)
    ranking = {name: row for name, *row in premature.ranking_rows(answers, answers, None)}
    assert ranking["DATA, by the statement PAC"][:2] == [40, 10]
    assert ranking["DATA, by the Challenge's codes"][:2] == [40, 20]
    assert ranking["MITDB"][:2] == [40, 10]
    assert ranking["MITDB without ventricular beats"][:2] == [30, 10]
    columns = premature.RANKING_HEADINGS[2:]
    areas = dict(zip(columns, ranking["MITDB"][2:], strict=True))
    assert areas["AUROC, measured"] == areas["AUROC, network and measured"] == 1
    assert areas["AUROC, network"] < 0.8
    said = {name: row for name, *row in premature.reading_rows(answers, answers, None)}
    assert said["MITDB"] == [10, 0, 0, 0.0, 0.0, 10, 10, 1.0, 1.0]

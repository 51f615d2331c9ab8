"""What a record's own rate tells of a pacemaker."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality import pacing
from benchmarks.quality.pacing import MEASURES, auroc
from cnn_gap.simulation import draw_codes, simulate_record, write_simulated

#: Samples between two spikes at 500 Hz: 75 beats a minute.
INTERVAL = 400


def spiked(record):
    """Return the record with a spike of one sample and 1 mV on all leads, again and again."""
    signal = record.signal.copy()
    signal[100::INTERVAL] += 1
    return replace(record, signal=signal, codes=("10370003",))


def test_spikes_are_seen_at_the_own_rate_and_less_at_the_network_s():
    record = simulate_record("A1", ("426783006",), 500.0, 10.0, seed=0)
    before, after = ({name: of(each) for name, of in MEASURES.items()} for each in (record, spiked(record)))
    assert all(after[name] > before[name] for name in list(MEASURES)[:3])
    gained = {name: after[name] - before[name] for name in MEASURES}
    assert gained["sharpest bend within 2 ms"] > 3 * gained["sharpest bend at 100 Hz"]


def test_one_artefact_on_one_lead_is_no_pacing():
    record = simulate_record("A1", ("426783006",), 500.0, 10.0, seed=0)
    signal = record.signal.copy()
    signal[700, 3] += 5
    disturbed = replace(record, signal=signal)
    for name in ("bursts above 80 Hz", "sharpest bend within 2 ms"):
        assert MEASURES[name](disturbed) == pytest.approx(MEASURES[name](record), rel=0.01)


def test_area_under_the_curve_with_its_interval():
    positive = np.array([True, True, False, False, False, False])
    found = auroc(positive, np.array([0.9, 0.3, 0.1, 0.2, 0.3, 0.4]))
    assert found.value == pytest.approx((4 + 2.5) / 8)
    assert found.low < found.value < found.high == 1
    assert str(auroc(positive[:2], np.ones(2))) == "-"


def test_pacing(tmp_path, model, run_command):
    for folder, rate in (("one", 500.0), ("two", 250.0)):
        (tmp_path / folder).mkdir()
        for index in range(4):
            record = simulate_record(f"A{index}", draw_codes(index), rate, 10.0, seed=index)
            record = replace(record, codes=("426783006",))
            write_simulated(tmp_path / folder, spiked(record) if index % 2 else record)
    result = run_command(pacing, [tmp_path / "one", tmp_path / "two", "--model", model])
    assert result.code == 0, result.err
    areas, places = result.out.split("\n\n")
    headings, _, *rows = areas.splitlines()
    assert "| one: 2 paced of 4 | two: 2 paced of 4 | together: 4 paced of 8 |" in headings
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [
        *MEASURES,
        "the model's probability, at 100 Hz",
    ]
    assert rows[1].count("1.000 (1.000 to 1.000)") >= 2
    assert [line.split(" | ")[:3] for line in places.splitlines()[2:]] == [
        [f"| {name}", "1.00", "1.00"] for name in ("A1", "A3", "A1", "A3")
    ]


def test_slow_records_are_refused(records, run_command):
    result = run_command(pacing, [records])
    assert result.code == 1
    assert "has no record above 200 Hz" in result.err

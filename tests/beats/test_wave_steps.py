"""The wave steps of windows agree with the waves of simulated records and with cardiologists' marks."""

import json

import numpy as np
import pytest
from keras import ops

from benchmarks.maps.waves import waves_of
from cnn_gap.beats.wave_steps import WAVES, find_wave_steps
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.signal.windows import Preprocessing, prediction_windows
from cnn_gap.simulation.recordings import simulate_record

RATE, STRIDE = 100.0, 4


def steps_of(codes, seed=1):
    """Return a simulated record's events, the steps by wave, and the steps' times, s."""
    record = simulate_record("record", codes, RATE, 10.0, seed)
    found = ops.convert_to_numpy(find_wave_steps(record.signal[None].astype(np.float32), RATE, STRIDE))[0]
    times = (np.arange(len(found)) * STRIDE + (STRIDE - 1) / 2) / RATE
    return record.events, dict(zip(WAVES, found.T > 0, strict=True)), times


def near(times, events, kind, tolerance=0.05):
    """Return which of the times lie in events of a kind, or within the tolerance of one."""
    spans = [(each.start_s - tolerance, each.end_s + tolerance) for each in events if each.kind == kind]
    return np.any([(start <= times) & (times <= end) for start, end in spans], axis=0)


@pytest.mark.parametrize("codes", [("426783006",), ("427084000",), ("713427006", "426783006")])
def test_complexes_are_found_where_they_are_and_nowhere_else(codes):
    events, found, times = steps_of(codes)
    assert not (found["QRS"] & ~near(times, events, "QRS")).any()
    for event in events:
        if event.kind == "QRS" and 0.2 < event.start_s < 9.7:
            assert found["QRS"][(times >= event.start_s - 0.05) & (times <= event.end_s + 0.05)].any()


def test_what_is_found_lies_in_complexes_that_cardiologists_delineated(shared):
    marks = json.loads((shared / "ludb" / "waves.json").read_text())
    inside, missed = [], []
    for path in find_records(shared / "ludb"):
        record = read_record(path)
        complexes = waves_of(record, marks[record.name])["N"]
        if not complexes:
            continue
        windows = prediction_windows(record.signal, record.sampling_rate, Preprocessing(lowpass_hz=40.0))
        found = ops.convert_to_numpy(find_wave_steps(windows, RATE, STRIDE))[0, :, WAVES.index("QRS")] > 0
        times = (np.arange(len(found)) * STRIDE + (STRIDE - 1) / 2) / RATE
        lies = np.array([(start <= times) & (times <= end) for start, end in complexes])
        delineated = (complexes[0][0] <= times) & (times <= complexes[-1][1])
        inside += lies.any(axis=0)[found & delineated].tolist()
        missed += (~(lies & found).any(axis=1)).tolist()
    assert len(missed) > 500
    assert np.mean(inside) > 0.95
    assert np.mean(missed) < 0.01


def test_waves_before_and_after_the_complexes_are_found():
    events, found, times = steps_of(("426783006",))
    middle = (times > 1.5) & (times < 8.5)
    for wave, kind in (("P", "P"), ("ST-T", "T")):
        centres = [(each.start_s + each.end_s) / 2 for each in events if each.kind == kind]
        steps = [abs(times - centre).argmin() for centre in centres if 1.5 < centre < 8.5]
        assert found[wave][steps].all()
        assert found[wave][middle].mean() < 0.6
    assert not (found["P"] & found["QRS"]).any()


@pytest.mark.parametrize(
    ("code", "kind", "wave"), [("284470004", "PAC", "early beat"), ("427172004", "PVC", "early QRS")]
)
def test_beats_that_come_early_are_told_from_the_others(code, kind, wave):
    agreed = 0
    for seed in range(8):
        events, found, times = steps_of((code, "426783006"), seed)
        inside = near(times, events, kind, 0.15)
        agreed += found[wave].any() and not (found[wave] & ~inside).any()
    assert agreed >= 6
    assert not steps_of(("426783006",))[1][wave].any()

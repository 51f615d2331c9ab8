"""The simulated ECGs meet the criteria of their diagnoses, measured on recordings without noise."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from cnn_gap.diagnoses.classes import known_diagnoses, read_weights
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.simulation import (
    QUIET,
    Event,
    Noise,
    SimulatedRecord,
    draw_codes,
    files,
    read_events,
    simulate_record,
    write_simulated,
)
from cnn_gap.simulation import heart_model as model
from cnn_gap.simulation import heart_rhythm as rhythm
from cnn_gap.simulation.__main__ import main
from cnn_gap.simulation.heart_conditions import EXCLUSIVE, code_of
from cnn_gap.system.errors import InputError

RATE = 1000
SEEDS = range(6)
COLUMN = {lead: column for column, lead in enumerate(LEADS)}
TEST_DATA = Path(__file__).parents[2] / "test_data"


def quiet(names: str, seed: int, seconds: float = 10) -> SimulatedRecord:
    return simulate_record("Q", [code_of(name) for name in names.split()], RATE, seconds, seed, QUIET)


def events_of(record: SimulatedRecord, kind: str) -> list[tuple[float, float]]:
    """Return start and end of the events of a kind that lie well inside the record."""
    end = len(record.signal) / record.sampling_rate
    return [
        (event.start_s, event.end_s)
        for event in record.events
        if event.kind == kind and event.start_s > 0.2 and event.end_s < end - 0.2
    ]


def within(record: SimulatedRecord, lead: str, start: float, end: float) -> np.ndarray:
    """Return a lead between two times, from its value at the first."""
    values = record.signal[round(start * RATE) : round(end * RATE) + 1, COLUMN[lead]]
    return values - values[0]


def durations(record: SimulatedRecord, kind: str) -> np.ndarray:
    return np.array([end - start for start, end in events_of(record, kind)])


def rr_intervals(record: SimulatedRecord) -> np.ndarray:
    """Return RR intervals, found in the signal alone."""
    steepness = np.abs(np.diff(record.signal, axis=0)).sum(axis=1)
    smooth = np.convolve(steepness, np.ones(60) / 60, mode="same")
    peaks, _ = find_peaks(smooth, height=0.35 * smooth.max(), distance=250)
    return np.diff(peaks) / RATE


def rate_of(record: SimulatedRecord) -> float:
    return 60 / rr_intervals(record).mean()


def pr_intervals(record: SimulatedRecord) -> np.ndarray:
    starts = np.array([start for start, _ in events_of(record, "QRS")])
    return np.array([starts[starts > p].min() - p for p, _ in events_of(record, "P") if (starts > p).any()])


def qrs_area(record: SimulatedRecord, lead: str) -> float:
    return float(np.mean([within(record, lead, *times).sum() / RATE for times in events_of(record, "QRS")]))


def frontal_axis(record: SimulatedRecord) -> float:
    return float(np.degrees(np.arctan2(qrs_area(record, "aVF") / np.sqrt(0.75), qrs_area(record, "I"))))


def t_extremes(record: SimulatedRecord, lead: str) -> tuple[float, float]:
    """Return the lowest and the highest value within the T waves, mV."""
    waves = [within(record, lead, *times) for times in events_of(record, "T")]
    return float(np.mean([wave.min() for wave in waves])), float(np.mean([wave.max() for wave in waves]))


@pytest.mark.parametrize("seed", SEEDS)
def test_normal_sinus_rhythm(seed):
    record = quiet("NSR", seed)
    assert 60 <= rate_of(record) <= 100
    assert np.ptp(rr_intervals(record)) < 0.12
    assert len(events_of(record, "P")) >= 9
    assert (pr_intervals(record) >= 0.12).all()
    assert (pr_intervals(record) <= 0.20).all()
    assert (durations(record, "QRS") < 0.10).all()
    assert -30 <= frontal_axis(record) <= 90
    for lead in ("I", "II", "V5", "V6"):
        assert qrs_area(record, lead) > 0
        low, high = t_extremes(record, lead)
        assert high > 0.05 > -low
    assert qrs_area(record, "aVR") < 0
    assert qrs_area(record, "V1") < 0
    for start, end in events_of(record, "P"):
        assert 0.05 < within(record, "II", start, end).max() < 0.3
        assert within(record, "aVR", start, end).min() < 0


@pytest.mark.parametrize("names", ["NSR", "RBBB", "IRBBB", "LBBB", "NSIVCB", "PVC", "LAnFB", "QAb"])
def test_annotated_qrs_is_where_the_signal_is_steep(names):
    record = quiet(names, 2)
    steepness = np.abs(np.diff(record.signal, axis=0)).sum(axis=1)
    for start, end in events_of(record, "QRS"):
        around = slice(round(start * RATE) - 60, round(end * RATE) + 60)
        steep = np.flatnonzero(steepness[around] > 0.12 * steepness[around].max())
        assert steep[0] - 60 == pytest.approx(0, abs=25)
        assert steep[-1] - 60 == pytest.approx((end - start) * RATE, abs=25)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("SB", 35, 60), ("Brady", 35, 60), ("STach", 100, 150), ("SA", 55, 95), ("PR", 55, 80)],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_rate(name, low, high, seed):
    assert low < rate_of(quiet(name, seed)) < high


@pytest.mark.parametrize("seed", SEEDS)
def test_sinus_arrhythmia_follows_the_breath(seed):
    record = quiet("SA", seed)
    assert np.ptp(rr_intervals(record)) > 0.12
    assert len(events_of(record, "P")) > 6


@pytest.mark.parametrize("seed", SEEDS)
def test_atrial_fibrillation(seed):
    record = quiet("AF", seed, seconds=20)
    intervals = rr_intervals(record)
    assert not events_of(record, "P")
    assert intervals.std() / intervals.mean() > 0.1
    first, second = intervals[:-1] - intervals.mean(), intervals[1:] - intervals.mean()
    assert abs((first * second).mean() / intervals.var()) < 0.6  # irregular, no slow swing
    waves = (
        rhythm.fibrillation_waves(10 * RATE, RATE, 0.04, np.random.default_rng(seed)) @ model.LEAD_VECTORS[2]
    )
    spectrum = np.abs(np.fft.rfft(waves - waves.mean()))
    assert 4 <= np.fft.rfftfreq(len(waves), 1 / RATE)[spectrum.argmax()] <= 9
    assert 0.05 < np.ptp(waves) < 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_atrial_flutter(seed):
    record = quiet("AFL", seed, seconds=20)
    assert not events_of(record, "P")
    assert 60 <= rate_of(record) <= 176
    assert [event for event in record.events if event.kind == "AFL"] == [Event("AFL", 0.0, 20.0)]
    # Some flutter of 250-350 a minute fits each RR interval two to four times.
    ratios = rr_intervals(record) * np.arange(250, 351)[:, None] / 60
    fit = np.abs(ratios - np.rint(ratios)).max(axis=1).argmin()
    assert np.abs(ratios[fit] - np.rint(ratios[fit])).max() < 0.2
    assert set(np.rint(ratios[fit])) <= {2, 3, 4}


def test_flutter_waves_fall_slowly_and_rise_sharply_in_the_inferior_leads():
    waves = rhythm.flutter_waves(10 * RATE, RATE, 0.2, 0.12) @ model.LEAD_VECTORS.T
    spectrum = np.abs(np.fft.rfft(waves[:, 1]))
    assert np.fft.rfftfreq(len(waves), 1 / RATE)[spectrum.argmax()] == pytest.approx(5.0)
    slope = np.diff(waves[:, 1])
    assert (slope < 0).mean() > 0.55
    assert slope.max() > 1.5 * -slope.min()
    assert 0.1 < np.ptp(waves[:, 1]) < 0.6
    assert np.ptp(waves[:, 0]) < 0.5 * np.ptp(waves[:, 1])


@pytest.mark.parametrize("name", ["IAVB", "LPR"])
@pytest.mark.parametrize("seed", SEEDS)
def test_long_pr(name, seed):
    record = quiet(name, seed)
    assert len(events_of(record, "P")) >= 7
    assert (pr_intervals(record) > 0.20).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_right_bundle_branch_block(seed):
    record = quiet("RBBB", seed)
    assert (durations(record, "QRS") >= 0.12).all()
    for start, end in events_of(record, "QRS"):
        v1 = within(record, "V1", start, end)
        late, early = v1[len(v1) // 2 :], v1[: len(v1) // 2]
        assert late.max() > 0.25  # R'
        assert early.max() > 0.05  # r
        assert early[early.argmax() :].min() < 0 < late.max()  # S between them
        for lead in ("I", "V6"):
            s = within(record, lead, start, end)
            assert (s < -0.05).sum() / RATE > 0.03
    assert t_extremes(record, "V1")[0] < -0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_incomplete_right_bundle_branch_block(seed):
    record = quiet("IRBBB", seed)
    assert (durations(record, "QRS") >= 0.10).all()
    assert (durations(record, "QRS") < 0.12).all()
    for start, end in events_of(record, "QRS"):
        v1 = within(record, "V1", start, end)
        assert v1[len(v1) // 2 :].max() > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_left_bundle_branch_block(seed):
    record = quiet("LBBB", seed)
    assert (durations(record, "QRS") >= 0.12).all()
    for start, end in events_of(record, "QRS"):
        assert within(record, "V6", start, end).min() > -0.05  # no q
        assert within(record, "I", start, end).min() > -0.05
        assert within(record, "V1", start, end).min() < -0.5
    for lead in ("I", "V6"):
        assert abs(t_extremes(record, lead)[0]) > t_extremes(record, lead)[1]
    assert t_extremes(record, "V1")[1] > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_unspecific_block_is_wide_and_of_neither_bundle(seed):
    record = quiet("NSIVCB", seed)
    assert (durations(record, "QRS") >= 0.12).all()
    for start, end in events_of(record, "QRS"):
        v1, v6 = within(record, "V1", start, end), within(record, "V6", start, end)
        assert v1[len(v1) // 2 :].max() < 0.1  # no R'
        assert v6[: len(v6) // 3].min() < -0.03  # septal q


@pytest.mark.parametrize("seed", SEEDS)
def test_axis(seed):
    assert -90 < frontal_axis(quiet("LAD", seed)) < -30
    assert 90 < frontal_axis(quiet("RAD", seed)) < 180
    block = quiet("LAnFB", seed)
    assert -90 < frontal_axis(block) < -40
    for start, end in events_of(block, "QRS"):
        avl, avf = within(block, "aVL", start, end), within(block, "aVF", start, end)
        assert avl[: avl.argmax()].min() < -0.03  # qR
        assert avf[: avf.argmin()].max() > 0.03  # rS


@pytest.mark.parametrize("seed", SEEDS)
def test_low_voltage(seed):
    def voltages(record: SimulatedRecord) -> list[float]:
        return [
            float(np.ptp(within(record, lead, *times)))
            for lead in LEADS[:6]
            for times in events_of(record, "QRS")
        ]

    assert max(voltages(quiet("LQRSV", seed))) < 0.5
    assert max(voltages(quiet("NSR", seed))) > 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_pacing(seed):
    record = quiet("PR", seed)
    spikes = events_of(record, "spike")
    beats = [event.start_s for event in record.events if event.kind == "QRS"]
    assert len(spikes) >= 8
    assert np.ptp(rr_intervals(record)) < 0.03
    assert (durations(record, "QRS") >= 0.12).all()
    for start, end in spikes:
        assert min(abs(beat - end) for beat in beats) < 0.01
        assert np.abs(within(record, "II", start, end)).max() > 0.5


@pytest.mark.parametrize("name", ["PAC", "PVC"])
@pytest.mark.parametrize("seed", SEEDS)
def test_premature_beats(name, seed):
    record = quiet(name, seed, seconds=12)
    beats = np.array([event.start_s for event in record.events if event.kind == "QRS"])
    premature = [event for event in record.events if event.kind == name]
    assert premature
    sinus = np.median(np.diff(beats))
    for event in premature:
        place = int(np.flatnonzero((beats >= event.start_s - 1e-9) & (beats < event.end_s))[0])
        before, after = beats[place] - beats[place - 1], np.append(beats, np.inf)[place + 1] - beats[place]
        assert before < 0.8 * sinus
        if not np.isfinite(after):
            continue
        assert after > before
        if name == "PVC":
            assert before + after == pytest.approx(2 * sinus, rel=0.08)  # compensatory pause
        else:
            assert before + after < 1.92 * sinus


@pytest.mark.parametrize("seed", SEEDS)
def test_ectopic_beats_differ_from_the_sinus_ones(seed):
    early = quiet("PAC", seed, seconds=12)
    for event in early.events:
        if event.kind == "PAC" and event.start_s > 0.2:
            p = min((e for e in early.events if e.kind == "P"), key=lambda e: abs(e.start_s - event.start_s))
            qrs = min(
                (e for e in early.events if e.kind == "QRS" and e.start_s > p.start_s), key=lambda e: e.start_s
            )
            assert p.start_s == event.start_s
            assert qrs.end_s - qrs.start_s < 0.10
    wide = quiet("PVC", seed, seconds=12)
    for event in wide.events:
        if event.kind == "PVC" and event.start_s > 0.2:
            qrs = next(e for e in wide.events if e.kind == "QRS" and e.start_s == event.start_s)
            assert qrs.end_s - qrs.start_s >= 0.12
            assert not [e for e in wide.events if e.kind == "P" and 0 < qrs.start_s - e.start_s < 0.25]
            lead = max(LEADS, key=lambda lead: abs(within(wide, lead, qrs.start_s, qrs.end_s).sum()))
            main_area = within(wide, lead, qrs.start_s, qrs.end_s).sum()
            t_area = within(wide, lead, qrs.end_s, event.end_s).sum()
            assert np.sign(main_area) == -np.sign(t_area)


@pytest.mark.parametrize("seed", SEEDS)
def test_qt(seed):
    def qtc(record: SimulatedRecord) -> np.ndarray:
        starts = [start for start, _ in events_of(record, "QRS")]
        ends = np.array([end for _, end in events_of(record, "T")])
        intervals = [(ends[ends > start].min() - start) for start in starts if (ends > start).any()]
        return np.array(intervals) / np.sqrt(60 / rate_of(record))  # Bazett

    assert (qtc(quiet("LQT", seed)) > 0.48).all()
    assert (qtc(quiet("NSR", seed)) < 0.47).all()


def has_pathological_q(record: SimulatedRecord, lead: str) -> bool:
    """Return whether each QRS begins with 40 ms below zero, a quarter of R deep."""
    for start, end in events_of(record, "QRS"):
        wave = within(record, lead, start, end)
        positive = np.flatnonzero(wave > 0.03)
        q = wave[: positive[0]] if len(positive) else wave
        if len(q) < 0.040 * RATE or -q.min() < max(0.1, 0.25 * wave.max()):
            return False
    return True


@pytest.mark.parametrize("seed", range(9))
def test_pathological_q(seed):
    walls = (("II", "III", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
    scarred, sound = quiet("QAb", seed), quiet("NSR", seed)
    assert max(sum(has_pathological_q(scarred, lead) for lead in wall) for wall in walls) >= 2
    assert not any(has_pathological_q(sound, lead) for wall in walls for lead in wall if lead != "III")


@pytest.mark.parametrize("seed", range(9))
def test_inverted_t(seed):
    record = quiet("TInv", seed)
    inverted = {
        lead
        for lead in LEADS
        if t_extremes(record, lead)[0] < -0.07
        and abs(t_extremes(record, lead)[0]) > t_extremes(record, lead)[1]
    }
    walls = ({"II", "III", "aVF"}, {"V1", "V2", "V3", "V4"}, {"V4", "V5", "V6"})
    assert max(len(wall & inverted) for wall in walls) >= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_abnormal_t_is_flat_or_biphasic(seed):
    record = quiet("TAb", seed)
    low, high = t_extremes(record, "V5")
    flat = high < 0.1 and low > -0.1
    biphasic = high > 0.05 and low < -0.05
    assert flat or biphasic


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.sampled_from([100.0, 257.0, 500.0]), st.sampled_from([5.0, 9.5]))
def test_every_draw_can_be_simulated(index, rate, seconds):
    record = simulate_record("D", draw_codes(index, 1), rate, seconds, index)
    assert record.signal.shape == (round(rate * seconds), 12)
    assert record.signal.dtype == np.float32
    assert np.isfinite(record.signal).all()
    assert np.abs(record.signal).max() < 6
    first, second, third, avr, avl, avf = record.signal[:, :6].astype(float).T
    np.testing.assert_allclose(third, second - first, atol=1e-5)
    np.testing.assert_allclose(avr, -(first + second) / 2, atol=1e-5)
    np.testing.assert_allclose(avl, first - second / 2, atol=1e-5)
    np.testing.assert_allclose(avf, second - first / 2, atol=1e-5)
    assert {"QRS", "T"} <= {event.kind for event in record.events}
    for event in record.events:
        assert 0 <= event.start_s < event.end_s <= len(record.signal) / rate


def test_every_class_and_every_equivalent_code_occurs():
    classes = read_weights()
    once = {code for index in range(24) for code in draw_codes(index)}
    assert classes.encode(once).all()
    twice = {code for index in range(48) for code in draw_codes(index)}
    assert twice == set(classes.codes)


def test_draws_hold_nothing_that_excludes_another():
    names = {code: known.abbreviation for code, known in known_diagnoses().items()}
    for index in range(200):
        drawn = {names[code] for code in draw_codes(index)}
        assert all(len(drawn & group) < 2 for group in EXCLUSIVE)


def test_same_seed_same_heart_and_noise_apart():
    codes = draw_codes(13)
    first, second = (simulate_record("S", codes, 500, 10, 7) for _ in range(2))
    assert first.signal.tobytes() == second.signal.tobytes()
    assert first.events == second.events
    assert (first.signal != simulate_record("S", codes, 500, 10, 8).signal).any()
    clean = simulate_record("S", codes, 500, 10, 7, QUIET)
    assert clean.events == first.events
    assert 0.005 < (first.signal - clean.signal).std() < 0.3
    slow = simulate_record("S", codes, 100, 10, 7, QUIET)
    np.testing.assert_allclose(slow.signal, clean.signal[::5], atol=1e-4)


def test_mains_hum_only_where_the_rate_carries_it():
    hum = Noise(wander=0, mains=0.02, muscle=0, electrode=0)
    for rate, expected in ((100, False), (500, True)):
        loud, clean = (simulate_record("M", draw_codes(20), rate, 10, 3, noise) for noise in (hum, QUIET))
        spectrum = np.abs(np.fft.rfft((loud.signal - clean.signal)[:, 0]))
        assert bool(spectrum.max() > 1) is expected
        assert not expected or np.fft.rfftfreq(10 * rate, 1 / rate)[spectrum.argmax()] == pytest.approx(50)


def test_lead_vectors_and_their_inverse():
    rng = np.random.default_rng(0)
    dipoles = rng.normal(size=(50, 3))
    leads = model.to_twelve_leads(model.to_independent_leads(dipoles))
    np.testing.assert_allclose(model.to_frank_leads(leads), dipoles, atol=1e-12)
    # Published coefficients of the inverse, leads V1..V6, I, II (Edenbrandt, Pahlm 1988).
    published = [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010]
    inverse = np.linalg.pinv(model.LEAD_VECTORS)[0][[2, 3, 4, 5, 6, 7, 0, 1]]
    np.testing.assert_allclose(inverse, published, atol=0.002)
    for axis in (-60, 0, 45, 130):
        seen = model.to_twelve_leads(model.to_independent_leads(model.dipole(1.0, axis, 0.4)[None]))[0]
        assert np.degrees(np.arctan2(seen[5] / np.sqrt(0.75), seen[0])) == pytest.approx(axis)


@pytest.mark.parametrize(
    ("codes", "rate", "seconds", "message"),
    [
        (["1234"], 500, 10, "1234: this diagnosis cannot be simulated"),
        ([code_of("AF"), code_of("NSR")], 500, 10, "exclude each other"),
        ([code_of("NSR")], 500, 2, "cannot simulate 2 s"),
        ([code_of("NSR")], 10, 10, "at 10 Hz"),
        ([code_of("NSR")], float("nan"), 10, "at nan Hz"),
        ([code_of("PAC"), code_of("PVC"), code_of("SB")], 100, 5, "too short for premature beats"),
    ],
)
def test_impossible_simulations_are_refused(codes, rate, seconds, message):
    with pytest.raises(InputError, match=message):
        for seed in range(20):
            simulate_record("E", codes, rate, seconds, seed)


def test_annotations_read_back(tmp_path):
    for index in range(24):
        record = simulate_record(f"A{index}", draw_codes(index), 257, 8, index)
        write_simulated(tmp_path, record)
        events = read_events(tmp_path / f"A{index}.atr")
        assert sorted(e.kind for e in events) == sorted(e.kind for e in record.events)
        for kind in {event.kind for event in events}:
            read, true = ([e for e in source if e.kind == kind] for source in (events, record.events))
            for one, other in zip(read, true, strict=True):
                assert one.start_s == pytest.approx(other.start_s, abs=0.51 / 257)
                assert one.end_s == pytest.approx(other.end_s, abs=1.01 / 257)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_annotation_errors_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.atr"):
        read_events(tmp_path / "none.atr")
    wfdb.wrann("open", "atr", np.array([5]), ["("], aux_note=["QRS"], fs=100, write_dir=str(tmp_path))
    with pytest.raises(InputError, match=r"open\.atr: 'QRS' has no end"):
        read_events(tmp_path / "open.atr")
    wfdb.wrann("shut", "atr", np.array([5]), [")"], aux_note=["QRS"], fs=100, write_dir=str(tmp_path))
    with pytest.raises(InputError, match="without a start"):
        read_events(tmp_path / "shut.atr")


def test_record_is_a_matlab_file_and_a_challenge_record(tmp_path):
    from scipy.io import loadmat

    record = simulate_record("C1", draw_codes(0), 500, 10, 1)
    write_simulated(tmp_path, record)
    values = loadmat(tmp_path / "C1.mat")["val"]
    assert values.shape == (12, 5000)
    np.testing.assert_allclose(values.T / 1000, record.signal, atol=0.0006)
    read = wfdb.rdrecord(str(tmp_path / "C1"))  # checks the checksums' form
    np.testing.assert_allclose(read.p_signal, record.signal, atol=0.0006)
    assert [int(value) for value in read.checksum] == values.sum(axis=1).astype(np.int16).tolist()
    assert f"Dx: {','.join(record.codes)}" in read.comments
    assert [comment.split(":")[0] for comment in read.comments] == ["Age", "Sex", "Dx", "Rx", "Hx", "Sx"]


@pytest.mark.parametrize("dialect", files.DIALECTS, ids=range(len(files.DIALECTS)))
def test_dialects_read_as_what_they_mean(dialect, tmp_path):
    record = simulate_record("D1", draw_codes(5), 250, 5, 4)
    write_simulated(tmp_path, record, dialect)
    written = [lead.upper() for lead in dialect.leads]
    columns = [column for column, lead in enumerate(LEADS) if lead.upper() in written]
    read = read_record(tmp_path / "D1.hea")
    assert read.sampling_rate == 250
    assert set(read.codes) == set(record.codes)
    half_a_unit = 0.51 / dialect.units_per_mv
    np.testing.assert_allclose(read.signal[:, columns], record.signal[:, columns], atol=half_a_unit)
    through_wfdb = wfdb.rdrecord(str(tmp_path / "D1"))
    assert [name.upper() for name in through_wfdb.sig_name] == written
    lead = written.index("II")
    scale = 1000 if through_wfdb.units[lead] == "uV" else 1
    np.testing.assert_allclose(through_wfdb.p_signal[:, lead] / scale, record.signal[:, 1], atol=half_a_unit)


def test_command_writes_the_same_bytes_again(tmp_path):
    for folder, jobs in (("one", "1"), ("two", "2")):
        main(
            [str(tmp_path / folder), "--records", "5", "--sampling-rate", "100", "--seed", "9", "--jobs", jobs]
        )
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(names) == 15
    assert names[:3] == ["SIM0001.atr", "SIM0001.hea", "SIM0001.mat"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("arguments", [["--records", "0"], ["--seed", "-1"], ["--jobs", "0"], ["--nothing"]])
def test_wrong_usage_ends_with_2(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as leaving:
        main([str(tmp_path), *arguments])
    assert leaving.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_test_data_is_what_the_simulator_writes(tmp_path):
    main([str(tmp_path), "--varied", "--jobs", "1"])
    made = sorted(path.name for path in tmp_path.iterdir())
    kept = sorted(path.name for path in TEST_DATA.iterdir() if path.name != "README.md")
    assert made == kept
    assert len([name for name in kept if name.endswith(".hea")]) == 48
    assert sum((TEST_DATA / name).stat().st_size for name in kept) < 6e6
    for name in kept:
        assert (tmp_path / name).read_bytes() == (TEST_DATA / name).read_bytes(), name


def test_test_data_covers_classes_rates_and_dialects():
    plans = files.varied_plans()
    assert {plan.sampling_rate for plan in plans} == {100, 128, 250, 257, 300, 360, 500, 1000}
    assert {plan.dialect for plan in plans} >= set(files.DIALECTS)
    assert min(plan.seconds for plan in plans) == 5
    assert max(plan.seconds for plan in plans) == 30
    records = [read_record(TEST_DATA / f"{plan.name}.hea") for plan in plans]
    classes = read_weights()
    assert np.sum([classes.encode(record.codes) for record in records], axis=0).min() >= 2
    assert [record.sampling_rate for record in records] == [plan.sampling_rate for plan in plans]

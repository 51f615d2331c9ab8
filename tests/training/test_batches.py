"""The split of records, oversampling, and batches of windows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_gap.io.records import read_info, read_record
from cnn_gap.io.sources import find_records
from cnn_gap.signal.windows import Preprocessing, training_windows
from cnn_gap.simulation.files import write_simulated
from cnn_gap.simulation.recordings import simulate_record
from cnn_gap.training.batches import BatchPlan, Examples, WindowBatches, cut, repeat_factors, split_records
from cnn_gap.training.window_store import prepare_windows


def _labels(records, seed=0):
    return np.random.default_rng(seed).random((records, 5)) < np.array([0.5, 0.2, 0.1, 0.05, 0.02])


def test_each_class_is_split_by_the_fraction():
    labels = _labels(4000)
    validation = split_records(labels, np.arange(4000), 0.1, seed=1)
    assert validation.mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_allclose(labels[validation].sum(axis=0) / labels.sum(axis=0), 0.1, atol=0.02)


def test_single_label_records_are_split_class_by_class():
    labels = np.eye(4, dtype=bool)[np.repeat(np.arange(4), (40, 30, 20, 10))]
    validation = split_records(labels, np.arange(100), 0.2, seed=0)
    np.testing.assert_array_equal(labels[validation].sum(axis=0), [8, 6, 4, 2])


@settings(max_examples=50, deadline=None)
@given(patients=st.integers(1, 60), fraction=st.floats(0, 0.9), seed=st.integers(0, 5))
def test_a_patient_is_never_divided(patients, fraction, seed):
    groups = np.random.default_rng(seed).integers(0, patients, 200)
    validation = split_records(_labels(200), groups, fraction, seed)
    for patient in np.unique(groups):
        assert len(np.unique(validation[groups == patient])) == 1


def test_the_split_follows_the_seed():
    labels = _labels(300)
    splits = [split_records(labels, np.arange(300), 0.3, seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])


def test_no_fraction_keeps_every_record_for_training():
    assert not split_records(_labels(50), np.arange(50), 0.0, seed=0).any()


def test_repeat_factors_follow_the_rarest_class():
    labels = np.zeros((1000, 3), bool)
    labels[:500, 0] = True
    labels[:10, 1] = True
    labels[990:991, 2] = True
    factors = repeat_factors(labels, share=0.04, cap=5)
    assert factors[0] == pytest.approx(2)  # sqrt(0.04 / 0.01)
    assert factors[300] == 1
    assert factors[990] == 5  # sqrt(40) is above the cap
    assert factors[800] == 1
    assert (repeat_factors(labels, share=0.0, cap=5) == 1).all()


@pytest.fixture(scope="module")
def examples(records, tmp_path_factory):
    infos = [read_info(path) for path in find_records(records)]
    store = prepare_windows(infos, Preprocessing(), tmp_path_factory.mktemp("cache"))
    return Examples(store, np.eye(len(infos), dtype=bool))  # a class a record, to tell them apart


def test_an_epoch_has_every_record_once_with_its_own_label(examples, records):
    chosen = np.array([3, 5, 8, 13, 21, 34])
    batches = WindowBatches(examples, chosen, np.ones(6), BatchPlan(2), seed=0, epoch=0)
    assert len(batches) == 3
    found = []
    paths = find_records(records)
    for batch in range(3):
        windows, labels = batches[batch]
        assert windows.dtype == labels.dtype == np.float32
        for window, label in zip(windows, labels, strict=True):
            (record,) = np.flatnonzero(label)
            found.append(record)
            stored = read_record(paths[record])
            expected = training_windows(stored.signal, stored.sampling_rate, Preprocessing())[0]
            np.testing.assert_allclose(window, expected, rtol=1e-3, atol=1e-6)
    assert sorted(found) == chosen.tolist()


def test_epochs_differ_and_repeat_by_seed(examples):
    def order(seed, epoch):
        batches = WindowBatches(examples, np.arange(40), np.ones(40), BatchPlan(8), seed, epoch)
        return [int(np.argmax(label)) for batch in range(5) for label in batches[batch][1]]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_oversampled_records_come_more_often_and_epochs_stay_as_long(examples):
    repeats = np.where(np.arange(40) == 7, 3.5, 1.0)
    counts = []
    for epoch in range(20):
        batches = WindowBatches(examples, np.arange(40), repeats, BatchPlan(10), seed=0, epoch=epoch)
        assert len(batches) == 4
        counts.append(sum(int(batches[batch][1][:, 7].sum()) for batch in range(4)))
    assert 2.5 < np.mean(counts) < 4.5


def test_fewer_records_than_a_batch_make_one(examples):
    batches = WindowBatches(examples, np.arange(3), np.ones(3), BatchPlan(64), seed=0, epoch=0)
    assert len(batches) == 1
    assert batches[0][0].shape == (3, 1000, 12)


def test_a_crop_is_a_part_of_its_window(examples):
    whole = WindowBatches(examples, np.arange(8), np.ones(8), BatchPlan(8), seed=0, epoch=0)[0]
    cropped = WindowBatches(examples, np.arange(8), np.ones(8), BatchPlan(8, crop=800), seed=0, epoch=0)[0]
    np.testing.assert_array_equal(cropped[1], whole[1])
    starts = set()
    for part, window in zip(cropped[0], whole[0], strict=True):
        (start,) = [at for at in range(201) if np.array_equal(window[at : at + 800], part)]
        starts.add(start)
    assert len(starts) > 1


def test_mixup_blends_windows_as_it_blends_their_labels(examples):
    plain = WindowBatches(examples, np.arange(16), np.ones(16), BatchPlan(16), seed=0, epoch=0)[0]
    windows, labels = WindowBatches(
        examples, np.arange(16), np.ones(16), BatchPlan(16, mixup=0.4), seed=0, epoch=0
    )[0]
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)
    assert ((labels > 0).sum(axis=1) == 2).any()
    assert labels.max(axis=1).min() >= 0.5
    # Each record has one class, so the labels give the shares.
    shares = labels @ plain[1].T
    np.testing.assert_allclose(windows, np.einsum("ij,jtl->itl", shares, plain[0]), atol=1e-5)


def test_batches_are_the_same_in_any_order(examples):
    def batches():
        return WindowBatches(
            examples, np.arange(40), np.ones(40), BatchPlan(8, crop=900, mixup=0.4), seed=0, epoch=1
        )

    forward, backward = batches(), batches()
    expected = [forward[batch] for batch in range(5)]
    for batch in reversed(range(5)):
        np.testing.assert_array_equal(backward[batch][0], expected[batch][0])


@pytest.fixture(scope="module")
def short_examples(tmp_path_factory):
    """Twelve records of up to 10 s, in windows of 10 s with margins of 0.8 s."""
    folder = tmp_path_factory.mktemp("short")
    seconds = [3.0, 10.0, 4.2, 10.0, 0.4, 6.4, 10.0, 9.9, 5.0, 10.0, 3.3, 8.0]
    for index, length in enumerate(seconds):
        record = simulate_record(f"SIM{index:04d}", ["426783006"], 100.0, 10.0, seed=index)
        write_simulated(folder, replace(record, signal=record.signal[: round(100 * length)]))
    infos = [read_info(path) for path in find_records(folder)]
    preprocessing = Preprocessing(margin_s=0.8)
    store = prepare_windows(infos, preprocessing, tmp_path_factory.mktemp("cache"))
    return Examples(store, np.eye(len(infos), dtype=bool))


@pytest.mark.parametrize(("crop", "longest"), [(0, 1160), (960, 960)])
def test_records_of_like_length_come_together_and_without_zeros_around_them(short_examples, crop, longest):
    plan = BatchPlan(3, crop=crop, step=56)
    batches = WindowBatches(short_examples, np.arange(12), np.ones(12), plan, seed=0, epoch=0)
    held = np.array(short_examples.store.held)
    found, lengths = [], []
    for batch in range(len(batches)):
        windows, labels = batches[batch]
        owners = labels.argmax(axis=1)
        samples = windows.shape[1]
        found.extend(owners)
        lengths.append(samples)
        assert samples == longest or (samples % 56 == 0 and 0 <= held[owners].min() - samples < 56)
        long_enough = [np.abs(each[[0, -1]]).min(axis=0).max() for each in windows[owners != 4]]
        assert min(long_enough) > 0
    assert set(found) == set(range(12))
    assert (lengths[0], lengths[1]) == (min(lengths), max(lengths))
    assert (held[[0, 3, 4]] == [460, 1160, 260]).all()  # with the margins; half a second counts as one


def test_parts_of_what_windows_hold():
    windows = np.zeros((2, 10, 1), np.float32)
    windows[0, 2:8, 0], windows[1, :, 0] = np.arange(1, 7), np.arange(1, 11)
    held = np.array([6, 10])
    np.testing.assert_array_equal(cut(windows, held, 4)[:, :, 0], [[2, 3, 4, 5], [4, 5, 6, 7]])
    np.testing.assert_array_equal(cut(windows, held, 8)[0, :, 0], [0, 1, 2, 3, 4, 5, 6, 0])
    parts = [cut(windows, held, 4, np.random.default_rng(seed)) for seed in range(20)]
    assert {int(part[0, 0, 0]) for part in parts} == {1, 2, 3}
    assert cut(windows, held, 10) is windows


@pytest.mark.parametrize("change", ["electrode_noise", "high_pass"])
def test_a_share_of_the_windows_is_as_of_other_recorders(examples, change):
    count = len(examples.labels)
    plan = BatchPlan(count)
    plain, changed = (
        WindowBatches(examples, np.arange(count), np.ones(count), each, 0, 0)[0]
        for each in (plan, replace(plan, **{change: 0.5}))
    )
    np.testing.assert_array_equal(changed[1], plain[1])
    assert 0 < (changed[0] != plain[0]).any(axis=(1, 2)).sum() < count


def test_windows_with_an_early_beat_are_labelled_with_premature_atrial_beats(examples):
    count = len(examples.labels)
    unlabelled = replace(examples, labels=np.zeros((count, 4), bool))
    plan = BatchPlan(count, premature=1.0, premature_outputs=(1, 3))
    plain = WindowBatches(unlabelled, np.arange(count), np.ones(count), replace(plan, premature=0.0), 0, 0)[0]
    windows, labels = WindowBatches(unlabelled, np.arange(count), np.ones(count), plan, 0, 0)[0]
    changed = (windows != plain[0]).any(axis=(1, 2))
    assert 0 < changed.sum() < count  # there are irregular rhythms among them
    np.testing.assert_array_equal(labels[:, [1, 3]], np.repeat(changed[:, None], 2, axis=1))
    assert not labels[:, [0, 2]].any()

    known = replace(examples, labels=np.eye(4, dtype=bool)[np.full(count, 3)])
    windows, _ = WindowBatches(known, np.arange(count), np.ones(count), plan, 0, 0)[0]
    np.testing.assert_array_equal(windows, plain[0])

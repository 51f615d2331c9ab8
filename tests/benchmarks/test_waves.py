"""Where maps should lie by delineated waves."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.maps import waves
from benchmarks.maps.pointing import Pointing
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS

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
    count, chance, maps, inside, signal, gradient = waves.pointing_row([(hit, miss, hit), (hit, miss, miss)])
    assert (count, chance) == (2, pytest.approx(0.2))
    assert (maps.value, inside.value, signal.value, gradient.value) == (1.0, pytest.approx(0.8), 0.0, 0.5)


def test_locality_is_the_change_far_from_what_changed():
    class Follower:
        """Its map is lead I, and everywhere a tenth of its last sample."""

        def explain(self, record, codes=None):
            activation = record.signal[:, 0] + 0.1 * record.signal[-1, 0]
            explained = SimpleNamespace(label=True, diagnosis=diagnosis("1"), activation=activation)
            return SimpleNamespace(record=record, classes=(explained,))

    one, other = (np.full((1000, 12), value, np.float32) for value in (0.0, 1.0))
    one[500] = 1
    records = [record_from_signal(each, 100.0, LEADS) for each in (one, other)]
    count, mean, _ = waves.locality(Follower(), records)
    assert (count, mean) == (2, pytest.approx((0.1 / 1.0 + 0.1 / 1.1) / 2, rel=1e-5))

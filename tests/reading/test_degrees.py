"""Degrees of certainty by limits that validation records chose."""

import numpy as np
import pytest

from cnn_gap.model.folder import fingerprint
from cnn_gap.reading.degrees import (
    FILE_NAME,
    TRUE_SHARES,
    DegreeLimits,
    choose_limits,
    read_degree_limits,
    write_degree_limits,
)
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_MODEL


def test_limits_hold_what_they_promise_on_the_records_that_chose_them():
    generator = np.random.default_rng(0)
    probabilities = generator.random(4000)
    truth = generator.random(4000) < probabilities
    present, probable, possible = choose_limits(truth, probabilities)
    assert present > probable > possible
    assert truth[probabilities >= present].mean() >= TRUE_SHARES["present"]
    assert truth[(probabilities >= probable) & (probabilities < present)].mean() >= TRUE_SHARES["probable"]


def test_a_statement_that_is_mostly_wrong_gets_no_high_degree():
    probabilities = np.linspace(0, 0.99, 500)
    present, probable, _ = choose_limits(np.zeros(500, bool), probabilities)
    assert min(present, probable) > 0.99


def test_few_records_leave_the_usual_limits():
    assert choose_limits(np.array([True, False]), np.array([0.9, 0.1])) == (0.85, 0.6, 0.4)


def test_a_few_true_ones_are_not_enough_for_a_share_just_above_the_minimum():
    truth = np.arange(20) % 20 != 10  # 95 % are true, which chance may give where fewer are
    probabilities = np.linspace(0.9, 0.8, 20)
    many = choose_limits(np.tile(truth, 50), np.repeat(probabilities, 50))
    assert choose_limits(truth, probabilities)[0] > many[0]


def test_limits_are_read_as_they_were_written(tmp_path):
    limits = DegreeLimits({"lvh": (0.8, 0.5, 0.3)})
    write_degree_limits(tmp_path, "1a2b", limits)
    assert read_degree_limits(tmp_path, "1a2b") == limits
    assert read_degree_limits(tmp_path / "other", "1a2b") == DegreeLimits()


def test_limits_of_another_model_do_not_count(tmp_path):
    write_degree_limits(tmp_path, "1a2b", DegreeLimits({"lvh": (0.8, 0.5, 0.3)}))
    assert read_degree_limits(tmp_path, "3c4d") == DegreeLimits()


@pytest.mark.parametrize("text", ["[]", '{"limits": {"lvh": [1, 2]}}', '{"limits": {"lvh": "high"}}', "{}"])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(InputError, match=r"reading\.json"):
        read_degree_limits(tmp_path, "1a2b")


def test_the_limits_of_the_shipped_model_are_its_own():
    limits = read_degree_limits(SHIPPED_MODEL, fingerprint(SHIPPED_MODEL)).limits
    assert len(limits) > 50
    assert all(present >= probable >= possible for present, probable, possible in limits.values())

"""Texts that hold the times that they name."""

import copy
import json
import pickle

import numpy as np

from cnn_gap.reading.reading import Sentence, kind_of
from cnn_gap.system.timed_text import TimedText, pieces_of, times_of, with_times

ALERT = TimedText("Pause of 3.1 s, at ", 886.2)
BOTH = TimedText(ALERT, "; also at ", TimedText(np.float64(3600.0)))


def test_a_text_of_texts_has_all_their_times():
    assert BOTH == "Pause of 3.1 s, at 14:46; also at 1:00:00"
    assert BOTH.times_s == (886.2, 3600.0)
    assert BOTH.pieces == ("Pause of 3.1 s, at ", 886.2, "; also at ", 3600.0)


def test_times_that_a_text_does_not_name_are_held():
    more = TimedText(BOTH, " and 2 more", (4000.0, np.float64(4100.0)), ".")
    assert more == f"{BOTH} and 2 more."
    assert more.times_s == (886.2, 3600.0, 4000.0, 4100.0)
    assert with_times(more, "<{:g}>".format).endswith("<3600> and 2 more.")
    assert pickle.loads(pickle.dumps(more)).times_s == more.times_s  # noqa: S301 - its own


def test_a_plain_text_is_its_only_piece():
    assert (pieces_of("at 14:46"), times_of("at 14:46")) == (("at 14:46",), ())
    assert with_times("at 14:46", str, str.upper) == "AT 14:46"


def test_times_and_words_are_written_by_different_functions():
    assert with_times(BOTH, "<{:g}>".format, str.upper) == "PAUSE OF 3.1 S, AT <886.2>; ALSO AT <3600>"


def test_programs_get_a_string():
    assert json.dumps([BOTH]) == '["Pause of 3.1 s, at 14:46; also at 1:00:00"]'
    assert repr(BOTH) == repr(str(BOTH))


def test_copies_and_other_processes_have_the_times():
    for each in (copy.deepcopy(BOTH), pickle.loads(pickle.dumps(BOTH))):  # noqa: S301 - its own
        assert (each, each.times_s) == (BOTH, BOTH.times_s)
    alert = Sentence(BOTH, ".", kind="pause")
    for each in (copy.deepcopy(alert), pickle.loads(pickle.dumps(alert))):  # noqa: S301 - its own
        assert (each, each.times_s, kind_of(each)) == (f"{BOTH}.", BOTH.times_s, "pause")

"""An explained recording of four minutes, for the tests of its strips, its page and its PDF."""

from datetime import datetime
from functools import cache

from cnn_gap.batch.explain_folder import ExplainOptions
from cnn_gap.classifier import load_classifier
from cnn_gap.explain.long_explanation import as_long
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing

SINUS, FIBRILLATION = ("426783006",), ("164889003",)
PARTS = (
    Part(SINUS, 90, run=5),
    Part(FIBRILLATION, 90),
    Part(SINUS, 40, pause_s=3.0),
    Part(SINUS, 20, artefact=True),
)

#: When the recording began.
STARTED = datetime(2026, 5, 1, 23, 58, 30)


@cache
def classifier():
    return load_classifier()


@cache
def recording(name="L001"):
    """Return the recording: it begins shortly before midnight."""
    signal = simulate_changing("L", PARTS, 100.0, seed=4).signal
    return as_long(Record(name, signal, LEADS, 100.0, age=70.0, sex="Female", time=STARTED))


@cache
def explained(name="L001"):
    """Return its explanation by the shipped model."""
    return ExplainOptions().explain_long(classifier(), recording(name))

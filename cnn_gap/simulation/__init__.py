"""Simulated twelve-lead ECGs with known diagnoses and known times of what shows them.

``python -m cnn_gap.simulation OUT --records 48 --sampling-rate 500`` writes Challenge records, each with the
true intervals of its waves and ectopic beats as WFDB annotations (``NAME.atr``).
"""

from cnn_gap.io.annotations import Event, read_events
from cnn_gap.simulation.files import Dialect, SimulatedRecord, write_simulated
from cnn_gap.simulation.recordings import QUIET, Noise, draw_codes, simulate_record

__all__ = [
    "QUIET",
    "Dialect",
    "Event",
    "Noise",
    "SimulatedRecord",
    "draw_codes",
    "read_events",
    "simulate_record",
    "write_simulated",
]

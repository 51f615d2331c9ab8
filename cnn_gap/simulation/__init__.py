"""Simulated twelve-lead ECGs, with known diagnoses and known times of the waves and beats that show them.

``python -m cnn_gap.simulation OUT --records 48 --sampling-rate 500`` writes records in the Challenge's format,
each with the times of its waves and premature beats as WFDB annotations (``NAME.atr``).
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

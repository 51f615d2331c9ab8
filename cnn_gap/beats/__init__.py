"""Measurements: heart rate, intervals and axis of a record, and the median beat that they are read from."""

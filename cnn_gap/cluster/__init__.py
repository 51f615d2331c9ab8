"""Classify on many machines: the driver's own functions on chunks of records, by a Dask cluster.

The driver lists the records and keeps journal, logs and table; workers read chunks of records and write the
result files. Nothing is imported from Dask before it is needed.
"""

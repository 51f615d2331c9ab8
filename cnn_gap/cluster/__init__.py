"""Work on many machines, by a Dask cluster: the package's own functions on chunks of records.

The driver lists the records and keeps journal, logs and table; workers read chunks of records and write the
result files. A training's windows are made by workers and written by the training. Nothing is imported from
Dask before it is needed.
"""

"""A Dask cluster as an executor of the package's work: the code that only Dask needs.

To classify, the driver lists the records and writes ledger, logs and table; workers read chunks of records and
write the result files. To train, workers make the windows and the training writes them. Dask is imported when a
cluster is used.
"""

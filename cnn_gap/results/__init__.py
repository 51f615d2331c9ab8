"""The results of a run: the Challenge's result files, tables, and the ledger of the records that are done."""

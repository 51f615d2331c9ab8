"""What a run writes of records: the Challenge's result files, tables, and the ledger of what is done."""

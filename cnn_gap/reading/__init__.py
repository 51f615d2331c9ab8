"""One reading of a record: what the network and the measurements say together, as a reader may believe it."""

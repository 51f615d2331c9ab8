"""The reading of a record: statements, alerts and a conclusion from probabilities and measurements."""

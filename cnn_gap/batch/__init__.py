"""A whole folder of records: classified or explained."""

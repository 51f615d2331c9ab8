"""Files, locks, processes, settings, and errors for users, for all other folders."""

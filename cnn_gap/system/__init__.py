"""What every other folder uses of the machine: files, locks, processes, settings, and errors for users."""

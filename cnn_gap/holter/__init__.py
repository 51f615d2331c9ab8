"""Recordings of minutes to days: when each rhythm was there, for how long, and which beats came early."""

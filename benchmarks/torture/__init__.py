"""Damaged input of every kind, by the thousands: nothing may crash, hang, take memory or cost a neighbour."""

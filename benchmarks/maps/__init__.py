"""Where maps have their maximum, and whether answers depend on it. Each function yields tables of a `Study`."""

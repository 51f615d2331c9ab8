"""What trainings are worth against each other; each trains several models."""

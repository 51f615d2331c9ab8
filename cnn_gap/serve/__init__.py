"""A page and a REST service that read ECGs; nothing else of the package knows of it."""

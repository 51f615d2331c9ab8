"""The signal: filters, resampling, the windows that a network gets, and the quality of a recording."""

"""Speed and memory, each measured by turns within one run."""

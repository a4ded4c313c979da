"""One file per rendering of what was read."""

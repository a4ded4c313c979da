"""One file a rendering of what was read."""

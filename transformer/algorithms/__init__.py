"""Pure functions on arrays, which the stages of the pipeline call: no waiting, no networks, no state."""

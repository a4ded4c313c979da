"""Transformer and predictor in one process, where the one calls the other directly."""

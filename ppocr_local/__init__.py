"""Transformer and predictor in one process, with direct calls between them."""

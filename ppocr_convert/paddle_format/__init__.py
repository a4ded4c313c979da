"""Paddle's inference format, read without Paddle: programs (.pdmodel, PIR .json), parameters, and their way to ONNX."""

"""Reads Paddle's inference format without Paddle: programs (.pdmodel, PIR .json) and parameters, and converts them to ONNX."""

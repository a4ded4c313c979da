"""Converts models to bundles: reads the sources and rewrites their graphs. Only this room needs the `onnx` package."""

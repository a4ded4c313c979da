"""Makes bundles: graph surgery, and the sources that a bundle can come from. Nothing else needs the `onnx` package."""

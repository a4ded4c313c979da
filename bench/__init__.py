"""Side-by-side benchmarks of the service and of other programs that read text with the same models. See README.md."""

"""ppocr-serving: reads the text in images, as a service. Importing this package is cheap on purpose."""

__version__ = "0.1.0"

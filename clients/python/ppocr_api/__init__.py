"""What a caller of the service sees: documents, errors, and the messages of the V2 protocol. Pure Python, for both sides."""

__version__ = "0.1.0"

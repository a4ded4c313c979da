"""The API's types: documents, errors, and the messages of the V2 protocol. Pure Python, used by client and service."""

__version__ = "0.1.0"

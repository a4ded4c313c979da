"""Settings: frozen dataclasses that are read from flags and environment variables."""

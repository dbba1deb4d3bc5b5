"""The package's version; the format's is in ``format.py``."""

__version__ = "0.1.0"

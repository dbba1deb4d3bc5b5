"""Bytes <-> header and sections, and the facts of the format."""

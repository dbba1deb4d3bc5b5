"""Integers <-> bytes: probability tables, the range coder, and the payload they make."""

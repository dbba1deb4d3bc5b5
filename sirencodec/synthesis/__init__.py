"""Integers -> a function of coordinates -> samples."""

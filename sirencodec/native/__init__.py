"""Compiled loops, and how Python finds and calls them."""

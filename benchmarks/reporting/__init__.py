"""Measured points -> tables, plots and pictures side by side."""

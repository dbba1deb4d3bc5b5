"""Codecs, images and settings -> measured points of a run: bytes, quality, time and memory."""

"""Photographs -> the networks that the package ships."""

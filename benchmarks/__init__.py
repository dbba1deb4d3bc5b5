"""Measurements of the codec: whole files, decoded pixels, rivals in the same run.

`python -m benchmarks --help` lists the commands; README.md in this folder says what they measure.
"""

"""Assay: whether a change to a machine-learning model may ship, and why."""

__version__ = "0.1.0"

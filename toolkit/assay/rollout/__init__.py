"""Moves traffic between versions of a model, step by step, and back in seconds."""

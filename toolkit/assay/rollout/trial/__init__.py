"""Trying a bundle before any target has it: smoke test, integration tests, load test by turns."""

"""The gate: a run's evidence put together, compared, judged, reported and published.

Nothing here runs a consumer's code, and nothing here may import what does.
"""

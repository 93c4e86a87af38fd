"""The scoring server: a program of its own, run by the Python of the model's environment.

It imports nothing of Assay, and only the standard library, MLflow (or MLServer), uvicorn and
PyArrow. ``docs/serving.md`` describes what it answers, logs and writes.
"""

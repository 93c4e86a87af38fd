"""The consumer's side of a run: what is touched, their tests, their pipeline, and the base."""

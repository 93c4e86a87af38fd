"""A consumer with pull requests, for the demo and for the tests that drive act."""

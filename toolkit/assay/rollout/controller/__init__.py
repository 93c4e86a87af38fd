"""The process beside the traffic: observes, decides by the pure step, acts, and writes it down."""

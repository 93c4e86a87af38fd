"""A model in production, judged all the time: live quality, drift, estimates, heartbeats."""

"""Training anew: what starts it, how often it may, and the pull request that comes of it."""

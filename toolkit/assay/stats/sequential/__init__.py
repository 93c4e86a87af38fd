"""Intervals that hold at every look at once, for comparisons that are watched while they run.

A fixed interval is honest once. Looked at again and again it fails in the end: of 1,000 even looks
at two equal arms, about half find a difference. What is here is valid at all looks together and at
any time of stopping. The types differ from those of fixed intervals, so that the two are never
mixed. All tuning is fixed before the first look, from the planned number of units; the unit is
what was assigned to an arm (a user), not the request. State is counts and sums: small, and
replayable.
"""

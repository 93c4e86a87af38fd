"""Where versions serve: one room for each kind of place."""

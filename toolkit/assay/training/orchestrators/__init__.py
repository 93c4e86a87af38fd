"""Where training runs: one small interface, and what speaks it."""

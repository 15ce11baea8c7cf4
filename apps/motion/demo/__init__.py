"""The demonstration, and something to look at."""

"""A small application for tests of the hub: notes on a board, and functions that misbehave on request."""

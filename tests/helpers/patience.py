"""How long tests wait for what has to come."""

PATIENCE = 100.0
"""Seconds: only so that a test which hangs ends and tells where. It says nothing of how long anything takes."""

"""Peers: other programs that do what Synovia does, or a part of it, small and fair; see docs/comparison.md."""

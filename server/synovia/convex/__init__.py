"""Convex's protocol, for clients made for it: npm ``convex`` and PyPI ``convex``. See docs/convex-protocol.md."""

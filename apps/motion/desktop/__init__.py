"""The Motion Desk as a Qt program: ``synovia-motion desktop``. Knows the client, and nothing of the server."""

"""``synovia-motion``: the command line, and how it speaks with a hub."""

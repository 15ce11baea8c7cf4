"""Vectors and how near they are to each other: exactly by NumPy, and among very many by a graph (``synovia[vectors]``)."""

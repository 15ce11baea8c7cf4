"""The small things that pages are made of."""

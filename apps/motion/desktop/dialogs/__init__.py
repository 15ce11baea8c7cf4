"""Questions that are asked in front of a page."""

"""The window, and what is around the pages."""

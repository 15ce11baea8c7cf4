"""Knee angles drawn over time, and the numbers read off them."""

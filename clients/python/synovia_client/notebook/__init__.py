"""What a notebook shows: a plot that follows a live query (``pip install 'synovia-client[jupyter]'``)."""

from synovia_client.notebook.live_plot import LivePlot

__all__ = ["LivePlot"]

"""The pages on which operators see what a hub holds and does, and the functions behind them."""

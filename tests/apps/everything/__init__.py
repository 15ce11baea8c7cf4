"""An application whose functions take and give everything that can travel."""

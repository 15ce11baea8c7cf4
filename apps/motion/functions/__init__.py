"""What clients may call, one module for each noun."""

__synovia_path__ = ""  # recordings:save, not functions/recordings:save

"""``python -m synovia.cli``."""

from synovia.cli import main

if __name__ == "__main__":  # processes that compute for this one import it under another name
    main()

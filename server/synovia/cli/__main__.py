"""``python -m synovia.cli``."""

from synovia.cli import main

main()

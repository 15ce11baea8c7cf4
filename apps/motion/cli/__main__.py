"""``python -m motion.cli``."""

from motion.cli.commands import main

main()

"""``python -m motion.demo``."""

import sys

from motion.demo.story import main

sys.exit(main())

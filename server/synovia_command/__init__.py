"""The command ``synovia``, apart from everything that it imports: that takes most of a second."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line; one that is interrupted while it is still imported ends as later, with 130 and no traceback."""
    interrupts = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a script may start it without
    if interrupts:
        # No exception: what is imported may catch it, and Python prints and drops it where none can be raised.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from synovia.cli import main as run

    if interrupts:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()

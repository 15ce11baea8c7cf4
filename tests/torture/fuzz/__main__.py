"""The long run of the fuzzer: python -m torture.fuzz --frames 1000000 --seed 1 (from the folder tests)."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from torture.fuzz.attack import random_seed
from torture.fuzz.campaign import MIB, Campaign, Outcome, fuzzed_hub


async def attack(seed: int, frames: int) -> tuple[Outcome, str]:
    """Attack a hub with so many frames; give what came of it and what the hub printed."""
    with tempfile.TemporaryDirectory(prefix="synovia-fuzz-") as directory:
        async with fuzzed_hub(Path(directory)) as hub:
            outcome = await Campaign(hub, seed, frames).run()
            return outcome, hub.printed()


def main() -> None:
    """Attack, print the figures, and exit with 1 if the hub did anything wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = random_seed() if arguments.seed is None else arguments.seed
    outcome, printed = asyncio.run(attack(seed, arguments.frames))
    print(outcome)
    errors = [line for line in printed.splitlines() if "ERROR synovia" in line or "Traceback" in line]
    print(f"  errors in the hub's log: {len(errors)}", *errors[:5], sep="\n    ")
    if errors:
        print(printed[-6000:])
    sys.exit(1 if outcome.faults or errors or outcome.growth > 32 * MIB else 0)


if __name__ == "__main__":
    main()

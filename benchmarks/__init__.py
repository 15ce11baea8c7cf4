"""Benchmarks: each prints ratios against a named limit or a peer measured in the same run; see docs/performance.md."""

import sys
from pathlib import Path

# A replica set is found or started by the module that the tests use.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

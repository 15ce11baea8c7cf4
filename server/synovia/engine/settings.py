"""How much a hub may hold and run for its clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Limits of one engine; the settings of the same names are described in ``limits.settings``."""

    max_mutation_bytes: int = 32 * _MIB
    max_mutation_documents: int = 5_000
    max_mutation_entries: int = 200_000
    mutation_timeout: float = 15.0
    max_lingering_bytes: int = 64 * _MIB
    max_lingering_bytes_per_address: int = 32 * _MIB
    max_held_bytes: int = 512 * _MIB
    max_held_bytes_per_address: int = 256 * _MIB
    max_remembered_bytes: int = 256 * _MIB
    max_remembered_bytes_per_address: int = 128 * _MIB
    max_result_bytes: int = 16 * _MIB
    max_result_elements: int = 1_000_000
    max_running_queries: int = 64
    max_running_queries_per_address: int = 8
    query_timeout: float = 8.0
    max_vector_bytes: int = 512 * _MIB
    max_exact_vectors: int = 50_000

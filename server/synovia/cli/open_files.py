"""How many files a hub may have open: each of its clients is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from synovia.config import Settings

BESIDE_CLIENTS: Final = 100
"""What a hub has open beside the connections of clients: the database, the application's files."""


def let_clients_connect(settings: Settings) -> Iterator[str]:
    """Raise the limit of open files as far as clients may connect and the system lets it; say if that is not enough.

    What shells and service managers begin with (the soft limit, 1,024 on most systems) is a tenth of what a hub is to
    take; up to the hard one every process may raise it.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    clients = settings.limits.max_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + BESIDE_CLIENTS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # macOS takes less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < clients:
        yield (
            f"{soft:,} files may be open, and {clients:,} clients may connect (MAX_CONNECTIONS): who comes beyond that "
            f"waits without an answer; ulimit -n {wanted}, or LimitNOFILE={wanted} for systemd"
        )

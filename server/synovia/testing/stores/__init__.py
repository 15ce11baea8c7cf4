"""The contract of a store as tests, for whoever writes one.

A module of tests subclasses the contract and says how a store is made::

    import pytest
    from synovia.testing.stores import MakeStore, PersistentStoreContract, StoreContract

    @pytest.fixture
    def make_store(tmp_path) -> MakeStore:
        return lambda: MyStore(tmp_path / "data")     # not open; every time over the same data

    class TestMyStore(StoreContract): ...
    class TestMyStoreKeepsItsData(PersistentStoreContract): ...

It needs the extra ``testing`` (``synovia[testing]``) and pytest-asyncio in its mode ``auto``. See docs/testing.md.
"""

try:
    import hypothesis  # noqa: F401
    import pytest
except ImportError as error:
    raise ImportError(f"{__name__} needs pytest, pytest-asyncio and hypothesis: install synovia[testing]") from error

_TESTS = ("changes", "commits", "histories", "snapshots", "steps", "storage", "sweeps")
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _TESTS))  # before they are imported

from synovia.testing.stores.changes import ChangesContract, LastingChangesContract  # noqa: E402
from synovia.testing.stores.commits import CommitContract  # noqa: E402
from synovia.testing.stores.histories import HistoryContract  # noqa: E402
from synovia.testing.stores.opening import TABLES, MakeStore, Opened, opened  # noqa: E402
from synovia.testing.stores.snapshots import SnapshotContract  # noqa: E402
from synovia.testing.stores.storage import ArrayContract, StorageContract  # noqa: E402
from synovia.testing.stores.sweeps import LastingSweepContract, SweepContract  # noqa: E402


class StoreContract(CommitContract, SnapshotContract, ChangesContract, ArrayContract, SweepContract, HistoryContract):
    """What every store does, also one that is gone when it is closed. Needs a fixture ``make_store``."""


class PersistentStoreContract(StorageContract, LastingChangesContract, LastingSweepContract):
    """What a store does beyond that which keeps its data. Needs a fixture ``make_store``."""


__all__ = ["TABLES", "MakeStore", "Opened", "PersistentStoreContract", "StoreContract", "opened"]

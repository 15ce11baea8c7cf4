"""Documents of an export into a store: what is there already stays as it is, so twice is once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from synovia.convex_export.archive import Archive
from synovia.convex_export.checking import documents
from synovia.export.inserting import Imported, batches, insert
from synovia.store.base import Store


async def import_tables(
    archive: Archive, store: Store, tables: Sequence[str], told: Callable[[Imported], None] = lambda _: None
) -> list[Imported]:
    """Insert what is not there yet, some hundred documents in each transaction.

    Args:
        store: It is open, and knows the tables.
        tables: Their names.
        told: Called when a table is done.

    Raises:
        ExportError: A document has a key that another one has in a unique index. What came before it stays; import it
            again when that is mended.
        StoreError: The database does not take it; import it again later.
    """
    done = []
    for table in tables:
        found = Imported(table)
        for lines in batches(documents(archive, table)):
            await insert(store, table, lines, found)
        told(found)
        done.append(found)
    return done

"""Whether the key that seals is the one of its name: values that another one seals would be lost with it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final

from synovia.migrations.check import oldest_and_newest
from synovia.schema import Table
from synovia.schema.encrypted import sealed_fields
from synovia.sealing.keyring import Keyring
from synovia.store.base import Store, StoreUnusable

_FEWEST: Final = 3
"""So many values that do not open are no longer some that somebody has changed or moved."""


async def refuse_another_key(store: Store, models: Iterable[type[Table]], keyring: Keyring | None) -> None:
    """Look at the oldest and the newest documents for values that the key that seals has sealed, until one opens.

    Raises:
        StoreUnusable: There are some, and it opens none of them.
    """
    if keyring is None:
        return
    ts, _ = await store.newest()
    snapshot, unopened = store.snapshot(ts), 0
    for model in models:
        fields = sealed_fields(model).values()
        documents = await oldest_and_newest(snapshot, model.spec.name) if fields else []
        for document, each in product(documents, fields):
            opens = each.opens_by_the_newest(document.get(each.database), document["_id"], keyring)
            if opens:
                return
            unopened += opens is False
    if unopened >= _FEWEST:
        raise StoreUnusable(
            f"the key {keyring.newest!r} of encrypted fields opens none of the {unopened} values looked at that a key of"
            " this name has sealed: it is another one. Give the right one; if that is lost, give this one another name"
        )

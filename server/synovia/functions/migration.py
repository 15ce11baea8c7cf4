"""Migrations: functions that change the documents of a table, each document once, while the application runs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, TypeVar

from synovia.errors import SchemaError
from synovia.functions.context import MutationContext
from synovia.functions.parameters import signature_of
from synovia.functions.places import place_of
from synovia.schema import Document, Table

_MARK = "__synovia_migration__"


class Deletion(Enum):
    """What a migration gives instead of a document."""

    DELETE = "delete"


DELETE: Final = Deletion.DELETE
"""What a migration gives for a document that is to go."""

MigrationBody = Callable[[MutationContext, Document], Awaitable[Document | Literal[Deletion.DELETE] | None]]
B = TypeVar("B", bound=MigrationBody)


@dataclass(eq=False)
class Migration:
    """A declared migration.

    Attributes:
        body: Is handed each document as the database holds it, and changes it in place or gives another.
        table: The name of the table whose documents it is handed.
        model: That table; None if it is no table of the application any more.
        place: Where it is declared, ``FILE:LINE``.
        path: ``module:name``, by which the database remembers it.
        reseals: It seals what is encrypted by the newest key, and calls nothing.
    """

    body: MigrationBody
    table: str
    model: type[Table] | None
    place: str
    path: str = ""
    reseals: bool = False

    def place_in(self, module: str) -> None:
        """Say the path of the module in which it is declared."""
        self.path = f"{module}:{self.body.__name__}"


def migration(table: type[Table] | str) -> Callable[[B], B]:
    """Declare a migration: ``async def function(ctx: MutationContext, document: dict[str, Any])``.

    It is run by the hubs when they start, or by ``synovia migrate``: once for each document that the table holds, in
    batches that are one transaction each, by one hub at a time, whatever hubs are killed meanwhile. Migrations run one
    after the other: by module, and in a module as they are declared. The database remembers each by its path.

    The document has its fields as the database holds them (camelCase, ``_id``), encrypted ones open; the function changes it
    in place, or gives another, or ``DELETE``. Through ``ctx`` it may read and write other documents in the same transaction.

    Args:
        table: The table; or the name of one that the application does not declare any more.
    """
    is_table = isinstance(table, type) and issubclass(table, Table) and table is not Table
    if not is_table and not (isinstance(table, str) and table and not table.startswith("_")):
        raise SchemaError(f"@migration({table!r}): it names a table, by its class, as @migration(Recording)")

    def mark(body: Any) -> Any:
        if not inspect.iscoroutinefunction(body) or len(signature_of(body).parameters) != 2:
            raise SchemaError(f"{body.__name__}: a migration is an async function of a MutationContext and a document")
        model = table if isinstance(table, type) else None
        name = model.spec.name if model is not None else str(table)
        found = Migration(body, name, model, place_of(body))
        found.place_in(body.__module__.rpartition(".")[2])
        setattr(body, _MARK, found)
        return body

    return mark


def migration_of(value: object) -> Migration | None:
    """Tell which migration a decorated body declares; None for anything else."""
    return getattr(value, _MARK, None)

"""What becomes of documents that refer to one that is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from synovia.errors import SchemaError
from synovia.keys import IndexSpec
from synovia.schema.annotations import allows_none, alternatives, element_of, fields_of
from synovia.schema.ids import named_table
from synovia.schema.index_fields import database_name
from synovia.schema.tables import Table

OnDelete = Literal["cascade", "restrict", "unset"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Says of a field that it refers to a document that has to be there: ``Annotated[Id[User], Reference("cascade")]``.

    Writing the id of a document that is not there is refused, and deleting that document does one of three things to those
    that refer to it.

    Args:
        on_delete: ``"cascade"`` deletes them too, ``"restrict"`` refuses to delete it as long as there are any,
            ``"unset"`` takes the reference away; the field has to allow None then.
    """

    on_delete: OnDelete


@dataclass(frozen=True, slots=True)
class Relation:
    """A field that refers to the documents of a table.

    Attributes:
        table: Whose field it is.
        target: The table to which it refers.
        name: The field's name in Python, and in the database.
        index: Finds the documents that refer to one.
    """

    table: type[Table]
    target: type[Table]
    name: str
    database: str
    index: IndexSpec
    on_delete: OnDelete


@dataclass(frozen=True, slots=True)
class Relations:
    """The relations of an application's tables.

    Attributes:
        to: By the name of the table to which they lead.
        of: By the name of the table whose fields they are.
    """

    to: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)
    of: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)

    @classmethod
    def among(cls, tables: Iterable[type[Table]]) -> Relations:
        """Find those that tables declare.

        Raises:
            SchemaError: One cannot work; the message says of which field, and what mends it.
        """
        found = [relation for table in tables for relation in _declared(table)]
        return cls(_by(lambda each: each.target, found), _by(lambda each: each.table, found))


def _by(side: Callable[[Relation], type[Table]], relations: Iterable[Relation]) -> dict[str, tuple[Relation, ...]]:
    found: dict[str, tuple[Relation, ...]] = {}
    for each in relations:
        name = side(each).spec.name
        found[name] = (*found.get(name, ()), each)
    return found


def _declared(table: type[Table]) -> Iterator[Relation]:
    for name, info in fields_of(table).items():
        for marker in info.metadata:
            if isinstance(marker, Reference):
                yield _relation(table, name, info.annotation, marker.on_delete)


def _relation(table: type[Table], name: str, annotation: Any, on_delete: OnDelete) -> Relation:
    place = f"{table.__name__}.{name}"
    if on_delete not in ("cascade", "restrict", "unset"):
        raise SchemaError(f"{place}: on_delete is 'cascade', 'restrict' or 'unset', not {on_delete!r}")
    kinds = [kind for kind in alternatives(annotation) if kind not in (None, type(None))]
    target = named_table(kinds[0]) if len(kinds) == 1 else None
    if target is None:
        held = "a list" if any(element_of(kind) is not None for kind in kinds) else "no id of a table"
        raise SchemaError(f"{place} is a Reference, but {held}: it has to be Id[T], or Id[T] | None")
    if on_delete == "unset" and not allows_none(annotation):
        raise SchemaError(f"{place} is to be unset, so it has to allow None: Id[{target.__name__}] | None")
    database = database_name(name)
    index = next((each for each in table.spec.indexes if each.fields[0] == database), None)
    if index is None:
        raise SchemaError(
            f"{place} is a Reference, so {table.__name__} needs an index that begins with it,"
            f" to find what refers to a document: Index({'by_' + name!r}, {name!r})"
        )
    return Relation(table, target, name, database, index, on_delete)

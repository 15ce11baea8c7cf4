"""What becomes of documents that refer to one that is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, get_args, get_origin

from synovia.errors import SchemaError
from synovia.keys import IndexSpec
from synovia.schema.annotations import allows_none, alternatives, element_of, fields_of
from synovia.schema.encrypted import sealed_fields
from synovia.schema.ids import named_table
from synovia.schema.index_fields import database_name, index_over
from synovia.schema.specs import Document
from synovia.schema.tables import Table

OnDelete = Literal["cascade", "restrict", "unset"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Says of a field that it refers to a document that has to be there: ``Annotated[Id[User], Reference("cascade")]``.

    Writing the id of a document that is not there is refused, and deleting that document does one of three things to those
    that refer to it. Where no index of the table begins with the field, the table gets one, ``by_user`` for ``user_id``.

    Args:
        on_delete: ``"cascade"`` deletes them too, ``"restrict"`` refuses to delete it as long as there are any,
            ``"unset"`` takes the reference away; the field has to allow None then.
        within: The name of a field that both tables have and in which both documents have to have the same value, as their
            tenant's: writing the id of a document that has another one is refused, and so is changing it in a document to
            which others refer.
    """

    on_delete: OnDelete
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A field that refers to the documents of a table.

    Attributes:
        table: Whose field it is.
        target: The table to which it refers.
        name: The field's name in Python, and in the database.
        index: Finds the documents that refer to one.
        within: The field in which both documents have the same value, by its name in Python; None: there is none.
    """

    table: type[Table]
    target: type[Table]
    name: str
    database: str
    index: IndexSpec
    on_delete: OnDelete
    within: str | None = None

    def parts(self, one: Document, other: Document) -> bool:
        """Tell whether the field in which both documents have the same value parts two of them."""
        return self.within is not None and one.get(name := database_name(self.within)) != other.get(name)


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
        """Find those that tables declare, which get the indexes that these need.

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
        for marker in (*info.metadata, *_inner_metadata(info.annotation)):
            if isinstance(marker, Reference):
                yield _relation(table, name, info.annotation, marker)


def _inner_metadata(annotation: Any) -> Iterator[Any]:
    """Give what is said inside of a union, as in ``Annotated[Id[User], Reference("unset")] | None``."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from arguments[1:]
    elif type(None) in arguments:
        for each in arguments:
            yield from _inner_metadata(each)


def _relation(table: type[Table], name: str, annotation: Any, marker: Reference) -> Relation:
    place, on_delete = f"{table.__name__}.{name}", marker.on_delete
    if on_delete not in ("cascade", "restrict", "unset"):
        raise SchemaError(f"{place}: on_delete is 'cascade', 'restrict' or 'unset', not {on_delete!r}")
    kinds = [kind for kind in alternatives(annotation) if kind not in (None, type(None))]
    target = named_table(kinds[0]) if len(kinds) == 1 else None
    if target is None:
        held = "a list" if any(element_of(kind) is not None for kind in kinds) else "no id of a table"
        raise SchemaError(f"{place} is a Reference, but {held}: it has to be Id[T], or Id[T] | None")
    if on_delete == "unset" and not allows_none(annotation):
        raise SchemaError(f"{place} is to be unset, so it has to allow None: Id[{target.__name__}] | None")
    if marker.within is not None:
        _check_within(table, target, place, marker.within)
    database = database_name(name)
    return Relation(table, target, name, database, _index_of(table, name), on_delete, marker.within)


def _check_within(table: type[Table], target: type[Table], place: str, within: str) -> None:
    """Refuse a field in which two documents cannot be told to have the same value."""
    kinds = []
    for each in (table, target):
        info = fields_of(each).get(within)
        if info is None:
            raise SchemaError(f"{place} is a Reference within {within!r}, a field that {each.__name__} does not have")
        if not info.is_required() and info.default is not None:
            raise SchemaError(f"{place} is a Reference within {within!r}: {each.__name__}.{within} has a default")
        if within in sealed_fields(each):
            raise SchemaError(f"{place} is a Reference within {within!r}: {each.__name__}.{within} is encrypted")
        kinds.append({named_table(kind) or kind for kind in alternatives(info.annotation)} - {type(None), None})
    if kinds[0] != kinds[1]:
        raise SchemaError(
            f"{place} is a Reference within {within!r}, which is of another type in {table.__name__} than in"
            f" {target.__name__}"
        )


def _index_of(table: type[Table], name: str) -> IndexSpec:
    """Give the index that finds what refers to a document: one that begins with the field, or one that the table gets."""
    database, known = database_name(name), table.spec.indexes
    of_words = [each for search in table.spec.searches for each in (search.index, search.lacking)]  # not of every row
    begins = next((each for each in known if each.fields[0] == database and each not in of_words), None)
    if begins is not None:
        return begins
    made = index_over(table, "by_" + name.removesuffix("_id"), [name])
    if any(each.name == made.name for each in known):
        raise SchemaError(
            f"{table.__name__}.{name} is a Reference, and the index {made.name!r}, which would find what refers to a"
            f" document, is another one: give that another name, or declare one that begins with {name!r}"
        )
    table.spec = replace(table.spec, indexes=(*known, made))
    return made

"""Tables as pydantic models, with their indexes, and the way between models and documents.

Field names are snake_case in Python and camelCase in the database and on the wire. A field that may be None has None as its
default and is left out of the document while it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bson import Int64
from pydantic import Field, ValidationError

from synovia.errors import SchemaError
from synovia.keys import IndexSpec
from synovia.schema.aggregates import AggregateIndex
from synovia.schema.encrypted import ClearValue, Sealed, marker_of, opened_document, sealed_fields
from synovia.schema.faults import refusal
from synovia.schema.ids import FROM_DOCUMENT, Id, id_to_bson, time_of_id
from synovia.schema.index_fields import encoded_defaults, exists, index_path
from synovia.schema.kept import Audited, SoftDelete, Timestamps
from synovia.schema.models import Model
from synovia.schema.reading import readable_document, reading_of
from synovia.schema.refused_tables import check_fields, check_indexes, check_name
from synovia.schema.search import SearchIndex
from synovia.schema.specs import CREATION_TIME, Document, TableSpec
from synovia.schema.values import to_bson
from synovia.schema.vectors import VectorIndex
from synovia.sealing.keyring import Keyring

_END_OF_TIME = 1e15
_NUMBERS = frozenset({int, float, bool, Int64})


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table, over Python field names in order; dots reach into embedded models (``contacts.user_id``)."""

    name: str
    fields: tuple[str, ...]
    unique: bool

    def __init__(self, name: str, *fields: str, unique: bool = False) -> None:
        if not fields:
            raise SchemaError(f"index {name!r} has no fields")
        if not all(isinstance(field, str) for field in fields):
            raise SchemaError(f"index {name!r}: fields are named one by one, as Index('by_owner', 'owner', 'start')")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "unique", unique)

    def spec_for(self, table: type[Table]) -> IndexSpec:
        """Describe the index to a database."""
        defaults = tuple(encoded_defaults(table, field) for field in self.fields)
        some = any(default is not None for each in defaults for default in each)
        names = tuple(index_path(table, field) for field in self.fields)
        return IndexSpec(self.name, names, self.unique, defaults if some else ())


class Table(Model):
    """A table: a model whose instances are documents.

    Class arguments:
        name: The collection's name; by default the class name in camelCase with an ``s``.
        indexes: Its indexes, search indexes, vector indexes and aggregate indexes. ``by_id`` exists always.
        text_ids: Its documents may have any text as id, also one with spaces; without this such a text is no id.
        system: Synovia itself keeps it, under a name that begins with an underscore; functions only read it.
        audit_scope: Of a table that is ``Audited``: the field whose value says in entries of the audit table whose they are.
    """

    id: Id[Self] = Field(default=Id(""), alias="_id")

    spec: ClassVar[TableSpec]
    text_ids: ClassVar[bool]
    audit_scope: ClassVar[str | None]

    def __init_subclass__(
        cls,
        name: str | None = None,
        indexes: Sequence[Index | SearchIndex | VectorIndex | AggregateIndex] = (),
        system: bool = False,
        text_ids: bool = False,
        audit_scope: str | None = None,
        **kwargs: Any,
    ) -> None:
        # Declared so that type checkers know the class arguments; pydantic hands them to the method below.
        try:
            super().__init_subclass__(**kwargs)
        except TypeError as error:
            if not kwargs or "keyword argument" not in str(error):
                raise
            text = f"{cls.__name__}: a table takes name, indexes, text_ids and audit_scope, not {', '.join(kwargs)}"
            raise SchemaError(text) from error

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        name: str | None = None,
        indexes: Sequence[Index | SearchIndex | VectorIndex | AggregateIndex] = (),
        system: bool = False,
        text_ids: bool = False,
        audit_scope: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        table = name or cls.__name__[0].lower() + cls.__name__[1:] + "s"
        ours = system and cls.__module__.partition(".")[0] == "synovia"
        if table.startswith("_") != ours or system != ours:
            raise SchemaError(f"table {table!r}: names that begin with an underscore are Synovia's own")
        check_fields(cls, {"spec", "text_ids", "audit_scope", "id", *vars(Table)})
        check_name(table)
        _check_indexes_given(cls, indexes)
        searches = [index for index in indexes if isinstance(index, SearchIndex)]
        vectors = [index for index in indexes if isinstance(index, VectorIndex)]
        aggregates = [index for index in indexes if isinstance(index, AggregateIndex)]
        plain = _kept_indexes(cls, [index for index in indexes if isinstance(index, Index)])
        for index in plain:
            _check_index(cls, index)
        declared: list[SearchIndex | VectorIndex | AggregateIndex] = [*searches, *vectors, *aggregates]
        check_indexes(cls, plain, declared)
        for each in declared:
            each.check(cls)
        searched = tuple(search.spec_for(cls) for search in searches)
        known = [
            *(index.spec_for(cls) for index in plain),
            *(one for each in searched for one in (each.index, each.lacking)),
        ]
        compared = []
        for vector in vectors:
            compared.append(vector.spec_for(cls, known))
            known += [compared[-1].index] if vector.filters and compared[-1].index not in known else []
        kept = []
        for aggregate in aggregates:
            kept.append(aggregate.spec_for(cls, table, known))
            known += [kept[-1].index] if kept[-1].index not in known else []
        cls.spec = TableSpec(table, tuple(known), searched, tuple(compared), tuple(kept))
        for field, info in cls.model_fields.items():
            if marker_of(info) is not None:
                setattr(cls, field, ClearValue(field))
        cls.text_ids = text_ids
        if audit_scope is not None and audit_scope not in cls.model_fields:
            raise SchemaError(f"{cls.__name__} has no field {audit_scope!r}, which audit_scope names")
        if audit_scope is not None and not issubclass(cls, Audited):
            raise SchemaError(f"{cls.__name__} says an audit_scope, and is not Audited: nothing would be written")
        _check_kept(cls)
        cls.audit_scope = audit_scope

    if not TYPE_CHECKING:

        def __init__(self, /, **fields: Any) -> None:
            """Make a row that may be inserted.

            Raises:
                InvalidArguments: A field is missing, cannot hold what it is given, or is none of the table.
            """
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise refusal(self.spec.name, error, type(self)) from error

        __init__.__pydantic_base_init__ = True  # it is no other way of making a row: documents are read without it

    @classmethod
    def _called(cls) -> str:
        return cls.spec.name

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Make a copy, with some fields changed: by their Python names, to what these may hold.

        Raises:
            InvalidArguments: A field cannot hold what it is given.
        """
        try:
            return super().model_copy(update=update, deep=deep)
        except ValidationError as error:
            raise refusal(self.spec.name, error, type(self)) from error

    @classmethod
    def from_document(cls, document: Document, keyring: Keyring | None = None) -> Self:
        """Read a document of this table.

        Args:
            keyring: Opens its encrypted fields; one that does not open fails when it is used.

        Raises:
            pydantic.ValidationError: The document does not fit the table; another program may have written it.
        """
        if encrypted := sealed_fields(cls):
            document = opened_document(encrypted, document, keyring)
        readable = document
        if None in document.values() or reading_of(cls).untyped.fields:
            readable = readable_document(cls, document)
        row: Self = cls.__pydantic_validator__.validate_python(readable, strict=False, context=FROM_DOCUMENT)
        row.id._table = cls
        if CREATION_TIME in document:
            row.note_creation_time(document[CREATION_TIME])
        return row

    def to_document(
        self, only: Iterable[str] | None = None, keyring: Keyring | None = None, before: Document | None = None
    ) -> Document:
        """Give the document of this row, ``_id`` first.

        Args:
            only: The Python names of the fields that are wanted; None: all.
            keyring: Seals its encrypted fields.
            before: The document that it takes the place of: what is sealed there and has not changed stays.

        Raises:
            Unstorable: It holds something that could not be read again.
            UnreadableField: It has an encrypted field, and there are no keys.
        """
        untyped = reading_of(type(self)).untyped
        document: Document = to_bson(
            self.model_dump(by_alias=True, exclude_none=True, include=None if only is None else set(only)), untyped
        )
        if only is None and CREATION_TIME in self.__dict__:
            document[CREATION_TIME] = self.__dict__[CREATION_TIME]
        self._seal(document, keyring, before or {})
        return document

    def _seal(self, document: Document, keyring: Keyring | None, before: Document) -> None:
        for name, field in sealed_fields(type(self)).items():
            if field.database not in document:
                continue
            value = self.__dict__[name]
            if type(value) is Sealed:
                document[field.database] = value.stored  # it stays as it is
            else:
                was = before.get(field.database)
                document[field.database] = field.seal(document[field.database], id_to_bson(self.id), keyring, was)

    @property
    def creation_time(self) -> int:
        """When the document was made, in milliseconds since 1970 (UTC).

        It is read off the id, unless the document says it itself, because it came from elsewhere. 0: nobody knows, of a
        document that another program has inserted under an id without a time.
        """
        stored = self.__dict__.get(CREATION_TIME)
        return int(stored) if stored is not None else time_of_id(self.id) or 0

    def note_creation_time(self, time: Any) -> None:
        """Keep what the document itself says of its creation; what is no time is passed over."""
        if type(time) not in _NUMBERS:
            if not isinstance(time, datetime):
                return
            time = time.timestamp() * 1000
        if 0 <= time < _END_OF_TIME:
            self.__dict__[CREATION_TIME] = time  # beside the fields: it is not sent to clients


def _check_indexes_given(table: type[Table], indexes: Any) -> None:
    kinds = (Index, SearchIndex, VectorIndex, AggregateIndex)
    if not isinstance(indexes, Sequence) or not all(isinstance(each, kinds) for each in indexes):
        text = f"{table.__name__}: indexes is a list, as [Index('by_owner', 'owner')], not {indexes!r:.80}"
        raise SchemaError(text)


def _check_kept(table: type[Table]) -> None:
    """Refuse fields that a base keeps, and that the table declares otherwise."""
    bases: tuple[type[Model], ...] = (Timestamps, SoftDelete)
    for base in bases:
        for name, kept in base.model_fields.items() if issubclass(table, base) else ():
            own = table.model_fields[name]
            if (own.annotation, own.default) != (kept.annotation, kept.default):
                raise SchemaError(f"{table.__name__}.{name} is kept by {base.__name__}: leave its declaration out")


def _kept_indexes(table: type[Table], indexes: Sequence[Index]) -> list[Index]:
    """Of a table with soft deletion: what is unique is so among rows that are not deleted; those that are can be found."""
    if not issubclass(table, SoftDelete):
        return list(indexes)
    unique = [index.unique and "deleted_at" not in index.fields for index in indexes]
    longer = [Index(index.name, *index.fields, "deleted_at", unique=True) for index in indexes]
    kept = [more if is_unique else index for index, more, is_unique in zip(indexes, longer, unique, strict=True)]
    found = any(index.fields == ("deleted_at",) for index in indexes)
    return kept if found else [*kept, Index("by_deleted", "deleted_at")]


def _check_index(table: type[Table], index: Index) -> None:
    if index.name == "by_id":
        raise SchemaError(f"{table.__name__}: by_id exists always and cannot be declared")
    for field in index.fields:
        if not exists(table, field):
            raise SchemaError(f"{table.__name__} has no field {field!r}, which index {index.name!r} names")

"""Fields by the names that queries and changes use, and values brought to their types.

One rule for all that a function gives: a value is brought to the type of the field that it is for, or refused. A text is no
number; where an id is wanted its text will do, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, cached_property
from itertools import accumulate
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from synovia.errors import InvalidArguments, UnknownIndex
from synovia.keys import encode_value
from synovia.schema.annotations import (
    allows_none,
    alternatives,
    element_of,
    fields_of,
    is_untyped,
    strict_adapter,
    value_of,
)
from synovia.schema.encrypted import SealedField, sealed_fields
from synovia.schema.faults import meant, message_of
from synovia.schema.ids import Id
from synovia.schema.specs import CREATION_TIME
from synovia.schema.untyped import ANYTHING, Untyped, untyped_in
from synovia.schema.values import Unstorable, to_bson
from synovia.sealing.keyring import Keyring


@dataclass(frozen=True)
class Level:
    """One step of the way to a field: what is there if a document lacks it.

    Attributes:
        name: The database's name of the field so far, as ``settings.theme``.
        default: The default of the field at this step, None if it has none that is always the same.
        in_array: It stands in the elements of an array.
    """

    name: str
    default: Any
    in_array: bool


@dataclass(frozen=True)
class FieldPath:
    """A field of a table, or one deep inside its models.

    Attributes:
        table: The table's name.
        name: As functions write it: ``contacts.user_id``.
        database: As the database has it: ``contacts.userId``.
        types: The annotations of what stands there: the field's own, and that of its elements if it holds a list.
        may_lack: Whether a document may lack it, or hold None there.
        levels: Each step of the way.
        sealed: How it is encrypted; None: it is not.
    """

    table: str
    name: str
    database: str
    types: tuple[Any, ...]
    may_lack: bool
    levels: tuple[Level, ...]
    sealed: SealedField | None = None

    @cached_property
    def _untyped(self) -> bool:
        return any(is_untyped(kind) for kind in self._kinds)

    @cached_property
    def _kinds(self) -> tuple[Any, ...]:
        return tuple(kind for annotation in self.types for kind in alternatives(annotation))

    @cached_property
    def in_list(self) -> bool:
        """Whether it may hold a list, or lies in the elements of one: then a document may have several values there."""
        return any(level.in_array for level in self.levels) or any(element_of(kind) is not None for kind in self._kinds)

    @cached_property
    def scalars(self) -> frozenset[type]:
        """The plain types of its values."""
        return frozenset(_scalar_of(kind) for kind in self._kinds) - {object}

    @cached_property
    def _adapters(self) -> tuple[tuple[TypeAdapter[Any], Untyped], ...]:
        return tuple((strict_adapter(each), untyped_in(each)) for each in self.types if not is_untyped(each))

    def read(self, value: Any) -> Any:
        """Bring a value that the database has to the field's type, of a field that is no list.

        Raises:
            ValidationError: The field may not hold that.
        """
        if value is None or self._untyped:
            return value
        if _is_number(value) and float in self.scalars:
            return float(value) + 0.0  # one zero
        if _is_number(value) and int in self.scalars and value == value // 1:
            return int(value)
        [adapter, *_] = [adapter for adapter, _ in self._adapters]
        return adapter.validate_python(value)

    def equal(self, value: Any, keyring: Keyring | None = None) -> Any:
        """Bring a value with which the field is compared for equality to its type, as the database holds it.

        Args:
            keyring: Of an encrypted field: makes the token that the database holds.

        Raises:
            InvalidArguments: The field cannot have that value.
            UnknownIndex: It is encrypted, and not searchable.
        """
        if self.sealed is None or value is None:
            return self._equal(value)
        if not self.sealed.searchable:
            raise self._not_asked("compared", "EncryptedSearchable fields can be, for equality")
        return self.sealed.token(self._equal(value), keyring)

    def _equal(self, value: Any) -> Any:
        if value is None:
            if self.may_lack or self._untyped:
                return None
            raise self._refused(value, "it is never None")
        if self._untyped:
            return self._bson(value, ANYTHING)
        if type(value) is float and int in self.scalars and float not in self.scalars:
            return value  # no whole number equals 2.5
        return self._validated(value)

    def ordered(self, value: Any) -> Any:
        """Bring a value to which the field is compared by order; it need not be one that the field may have.

        Raises:
            InvalidArguments: It is of another type.
            UnknownIndex: The field is encrypted.
        """
        if self.sealed is not None:
            raise self._not_asked("compared by order", "what is sealed has none")
        if self._untyped and value is not None:
            return self._bson(value, ANYTHING)
        if _is_number(value) and not self.scalars.isdisjoint((int, float)):
            return self._bson(value)
        if isinstance(value, str) and not isinstance(value, Id) and str in self.scalars:
            return self._bson(str(value))
        if type(value) in self.scalars and type(value) is not str:
            return self._bson(value)
        if value is None:
            raise self._refused(value, "None is neither less nor greater than anything")
        return self._validated(value)

    def _validated(self, value: Any) -> Any:
        first: ValidationError | None = None
        for adapter, untyped in self._adapters:
            try:
                brought = adapter.validate_python(value)
            except ValidationError as error:
                first = first or error
            else:
                return self._bson(adapter.dump_python(brought, by_alias=True, exclude_none=True), untyped)
        raise self._refused(value, "" if first is None else message_of(first))

    def _bson(self, value: Any, untyped: Any = None) -> Any:
        try:
            brought = to_bson(value, untyped)
            encode_value(brought)
        except (Unstorable, UnicodeEncodeError) as error:
            raise self._refused(value, str(error)) from None
        return brought

    def _not_asked(self, what: str, why: str) -> UnknownIndex:
        return UnknownIndex(f"{self.table}.{self.name} is encrypted and cannot be {what}: {why}")

    def _refused(self, value: Any, reason: str) -> InvalidArguments:
        what = "this" if self.sealed is not None else f"{value!r:.80}"
        text = f"{self.table}.{self.name} cannot be {what}: {reason}"
        return InvalidArguments(text, [{"at": self.database, "message": reason}])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scalar_of(kind: Any) -> type:
    """Tell the plain type whose order the values of an alternative have; object for those that have none."""
    if get_origin(kind) is Literal:
        types = {type(value) for value in get_args(kind)}
        return types.pop() if len(types) == 1 else object
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next((plain for plain in (str, int, float) if issubclass(kind, plain)), object)
    return kind if kind in (str, int, float, bool, bytes, datetime) else object


# --- finding ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Step:
    """What one name leads to within some alternatives."""

    database: str
    annotations: tuple[Any, ...]
    may_lack: bool
    default: Any
    in_array: bool


@cache
def field_of(table: Any, name: str) -> FieldPath:
    """Find a field of a table by its Python name; dots reach into models, maps, and the elements of lists.

    Raises:
        UnknownIndex: It has none of that name.
    """
    if name == "id":
        return FieldPath(table.spec.name, name, "_id", (Id[table],), may_lack=False, levels=())
    if name == "creation_time":
        return _creation_time(table)
    steps = _steps(table, name)
    if not steps:
        raise UnknownIndex(f"{table.spec.name} has no field {name!r}{meant(name, table.model_fields)}")
    sealed = sealed_fields(table).get(name.partition(".")[0])
    if sealed is not None:
        return _sealed_path(table, name, steps, sealed)
    at = steps[-1].annotations
    elements = (element_of(kind) for annotation in at for kind in alternatives(annotation))
    types = (*at, *(element for element in elements if element is not None))
    may_lack = any(step.may_lack or step.in_array for step in steps)
    levels = _levels(steps)
    return FieldPath(table.spec.name, name, levels[-1].name, types, may_lack, levels)


def _sealed_path(table: Any, name: str, steps: Sequence[_Step], sealed: SealedField) -> FieldPath:
    if name != sealed.name:
        raise UnknownIndex(f"{table.spec.name}.{sealed.name} is encrypted: nothing can be asked of what is in it")
    database = sealed.token_path if sealed.searchable else sealed.database
    return FieldPath(table.spec.name, name, database, steps[-1].annotations, steps[-1].may_lack, (), sealed)


def _creation_time(table: Any) -> FieldPath:
    if not table.spec.keeps_creation_time:
        raise UnknownIndex(
            f"{table.spec.name} does not store the creation_time: its ids are in that order, or declare an index over it"
        )
    return FieldPath(table.spec.name, "creation_time", CREATION_TIME, (float,), may_lack=True, levels=())


def levels_of(table: Any, name: str) -> tuple[Level, ...]:
    """Give the steps of the way to a field of a table that is just being declared; none if they cannot be told."""
    return _levels(_steps(table, name))


def list_on_the_way(table: Any, name: str) -> str | None:
    """Name the list that a field always is or lies in, as functions write it; None if there is none."""
    for number, step in enumerate(_steps(table, name), 1):
        kinds = {kind for annotation in step.annotations for kind in alternatives(annotation)}
        if kinds and all(element_of(kind) is not None for kind in kinds):
            return ".".join(name.split(".")[:number])
    return None


def texts_on_the_way(table: Any, name: str) -> bool:
    """Tell whether a field of a table that is just being declared may hold texts, or lists of texts."""
    steps = _steps(table, name)
    opened = (kind for kind, _ in _opened(steps[-1].annotations)) if steps else ()
    return not steps or any(is_untyped(kind) or _scalar_of(kind) is str for kind in opened)


def numbers_on_the_way(table: Any, name: str) -> bool:
    """Tell whether a field of a table that is just being declared may hold numbers."""
    steps = _steps(table, name)
    kinds = (kind for annotation in (steps[-1].annotations if steps else ()) for kind in alternatives(annotation))
    return not steps or any(is_untyped(kind) or _scalar_of(kind) in (int, float) for kind in kinds)


def _levels(steps: Sequence[_Step]) -> tuple[Level, ...]:
    names = accumulate((step.database for step in steps), lambda path, name: f"{path}.{name}")
    arrays: Iterable[bool] = accumulate((step.in_array for step in steps), or_)
    return tuple(Level(name, step.default, in_array) for name, step, in_array in zip(names, steps, arrays, strict=True))


def _steps(table: Any, name: str) -> list[_Step]:
    """Go the way to a field, step by step; nothing if it leads nowhere."""
    at: tuple[Any, ...] = (table,)
    steps = []
    for part in name.split("."):
        step = _step(at, part)
        if step is None:
            return []
        steps.append(step)
        at = step.annotations
    return steps


def _step(annotations: Iterable[Any], name: str) -> _Step | None:
    found = [step for kind, in_array in _opened(annotations) if (step := _inside(kind, name, in_array)) is not None]
    if not found:
        return None
    defaults = [step.default for step in found]
    return _Step(
        found[0].database,
        tuple(annotation for step in found for annotation in step.annotations),
        any(step.may_lack for step in found),
        defaults[0] if all(default == defaults[0] for default in defaults) else None,
        any(step.in_array for step in found),
    )


def _opened(annotations: Iterable[Any], *, in_array: bool = False) -> Iterator[tuple[Any, bool]]:
    """Give the alternatives in which a name can be looked up; a list is looked into."""
    for annotation in annotations:
        for kind in alternatives(annotation):
            element = element_of(kind)
            if element is None:
                yield kind, in_array
            elif not in_array:
                yield from _opened((element,), in_array=True)


def _inside(kind: Any, name: str, in_array: bool) -> _Step | None:
    if is_untyped(kind):
        return _Step(name, (Any,), True, None, in_array)
    if (value := value_of(kind)) is not None:
        return _Step(name, (value,), True, None, in_array)
    info = fields_of(kind).get(name) if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    if info is None:
        return None
    annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    lacks = allows_none(annotation)
    database = info.serialization_alias or info.alias or name
    return _Step(database, (annotation,), lacks, None if lacks else constant_default(info), in_array)


def constant_default(info: FieldInfo) -> Any:
    """Give the default of a field as the database would hold it; None if it has none, or a new one each time."""
    if info.default_factory in (list, dict, tuple, str, int, float, bool):
        return to_bson(info.default_factory())
    if info.default_factory is not None or info.is_required():
        return None
    try:
        return to_bson(info.default, untyped_in(info.annotation))
    except Unstorable:
        return None

"""Read an application's functions: from annotations to shapes, with the place of whatever cannot be told to a client."""

from __future__ import annotations

import collections.abc
import enum
import sys
import types
from datetime import datetime
from typing import Annotated, Any, ForwardRef, Literal, NewType, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, RootModel, WrapSerializer
from pydantic.fields import ComputedFieldInfo, FieldInfo

from synovia.codegen.names import RESERVED, doc_of, words
from synovia.codegen.shapes import (
    ANY,
    NONE,
    Api,
    ArrayOf,
    Call,
    Choice,
    Field,
    IdOf,
    ListOf,
    MapOf,
    Parameter,
    Reference,
    Scalar,
    Shape,
    Structure,
    TupleOf,
    admits_none,
    one_of,
    without_none,
)
from synovia.functions.function import Function
from synovia.functions.pages import Page, PaginationOptions
from synovia.functions.registry import Registry
from synovia.functions.sendable import hint
from synovia.schema import ArrayField, File, Id, Table, Upload
from synovia.schema.convex_types import INT64, NULL
from synovia_protocol.messages import ArrayRef

_SAFE = 2**53
_SCALARS: dict[Any, Shape] = {
    type(None): NONE,
    None: NONE,
    bool: Scalar("bool"),
    float: Scalar("float"),
    str: Scalar("str"),
    bytes: Scalar("bytes"),
    datetime: Scalar("datetime"),
    File: Scalar("file"),
    Upload: Scalar("upload"),
    Any: ANY,
    object: ANY,
    list: ListOf(ANY),
    dict: MapOf(ANY),
}
_OF_CONVEX: dict[type[BaseModel], str] = {Page: "PaginationResult", PaginationOptions: "PaginationOptions"}
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class CodegenError(Exception):
    """No client can be written; each line of the message is a place and what is wrong there."""


class _Unrepresentable(Exception):
    """The argument says what is wrong with a type; whoever catches it knows the place."""


def read(registry: Registry) -> Api:
    """Read what the clients of an application may call.

    Raises:
        CodegenError: Types that no client can have, or names that clash.
    """
    reader = _Reader(registry.name)
    functions = sorted(registry.functions.items())
    calls = tuple(reader.call(function) for _, function in functions if not function.internal)
    if reader.faults:
        raise CodegenError("\n".join(dict.fromkeys(reader.faults)))
    structures = sorted((made for made in reader.structures.values() if made is not None), key=lambda made: made.name)
    return Api(registry.name, calls, tuple(structures), tuple(sorted(reader.ids.items())))


class _Reader:
    """Collects structures and faults while annotations are read."""

    def __init__(self, application: str) -> None:
        self.faults: list[str] = []
        self.structures: dict[str, Structure | None] = {}  # None while it is being read
        self.ids: dict[str, str] = {}
        self._application = application
        self._owners: dict[str, str] = {}

    # --- functions

    def call(self, function: Function) -> Call:
        path = function.path
        doc = doc_of(function.body.__doc__)
        described = words(doc).arguments
        arguments = [
            self._argument(path, python, info, described.get(python, ""))
            for python, info in function.arguments.model_fields.items()
        ]
        result = self._shape_at(f"{path}, its result", function.returns, given=False)
        return Call(path, function.module, function.name, function.kind, doc, tuple(arguments), result)

    def _argument(self, path: str, python: str, info: FieldInfo, doc: str) -> Field:
        place = f"{path}, argument {python!r}"
        shape = self._shape_at(place, info.annotation, given=True, metadata=info.metadata)
        name = self._wire_name(place, info.validation_alias or python)
        return Field(name, python, shape, info.is_required(), doc_of(info.description) or doc)

    def _wire_name(self, place: str, alias: object) -> str:
        if isinstance(alias, str):
            return alias
        self.faults.append(f"{place}: an alias that is a path or a choice has no one name; give a plain one")
        return ""

    def _shape_at(
        self, place: str, annotation: Any, *, given: bool, metadata: list[Any] | None = None, owner: Any = None
    ) -> Shape:
        try:
            return self._shape(annotation, given, metadata or [], owner)
        except _Unrepresentable as error:
            self.faults.append(f"{place}: {error}")
            return ANY

    # --- annotations

    def _shape(self, annotation: Any, given: bool, metadata: list[Any], owner: Any) -> Shape:
        metadata = list(_flat(metadata))
        if annotation is ArrayRef:
            return _array(metadata)
        if any(isinstance(entry, PlainSerializer | WrapSerializer) for entry in metadata) and not given:
            raise _Unrepresentable("a serializer of its own makes it something that is not declared")
        if annotation is int:
            return Scalar("bigint" if INT64 in metadata else "int64" if _beyond_safe(metadata) else "int")
        if isinstance(annotation, collections.abc.Hashable) and annotation in _SCALARS:
            return _SCALARS[annotation]
        if isinstance(annotation, TypeVar):
            return Parameter(annotation.__name__)
        if isinstance(annotation, NewType):
            return self._shape(annotation.__supertype__, given, metadata, owner)
        if hasattr(annotation, "__value__"):  # type X = ...
            return self._shape(annotation.__value__, given, metadata, owner)
        if get_origin(annotation) is not None and not _is_model(annotation):
            return self._compound(annotation, given, owner)
        if isinstance(annotation, type):
            return self._class(annotation, given)
        raise _Unrepresentable(f"{_named(annotation)} cannot travel")

    def _compound(self, annotation: Any, given: bool, owner: Any) -> Shape:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._shape(arguments[0], given, list(arguments[1:]), owner)
        if origin in (Union, types.UnionType):
            return one_of([self._shape(option, given, [], owner) for option in arguments])
        if origin is Literal:
            return _choice(arguments)
        if origin is Id:
            return self._id(arguments[0], owner)
        if origin in _LISTS:
            return ListOf(self._shape(arguments[0], given, [], owner))
        if origin is tuple and not given:
            return self._tuple(arguments, owner)
        if origin in _MAPS:
            self._check_key(arguments[0], owner)
            return MapOf(self._shape(arguments[1], given, [], owner))
        raise _Unrepresentable(f"{_named(annotation)} cannot travel{_hint(origin)}")

    def _tuple(self, arguments: tuple[Any, ...], owner: Any) -> Shape:
        if arguments[1:] == (...,):
            return ListOf(self._shape(arguments[0], False, [], owner))
        return TupleOf(tuple(self._shape(item, False, [], owner) for item in arguments))

    def _check_key(self, key: Any, owner: Any) -> None:
        shape = self._shape(key, True, [], owner)
        strings = isinstance(shape, Choice) and all(isinstance(value, str) for value in shape.values)
        if not (strings or isinstance(shape, IdOf) or shape == Scalar("str")):
            raise _Unrepresentable(f"the keys of a map are strings, not {_named(key)}")

    def _class(self, kind: type, given: bool) -> Shape:
        if kind is Id:
            raise _Unrepresentable("say of which table the id is, as Id[User]")
        if issubclass(kind, enum.Enum):
            return _members(kind, given)
        if issubclass(kind, BaseModel) and not issubclass(kind, RootModel):
            return self._structure(kind, given)
        raise _Unrepresentable(f"{_named(kind)} cannot travel{_hint(kind)}")

    def _id(self, target: Any, owner: Any) -> IdOf:
        if target is Self:
            target = owner
        if isinstance(target, ForwardRef | str):
            name = target if isinstance(target, str) else target.__forward_arg__
            target = vars(sys.modules[owner.__module__]).get(name) if owner else None
        if not (isinstance(target, type) and issubclass(target, Table)):
            raise _Unrepresentable(f"Id of {_named(target)}, which is no table")
        self._claim(f"{target.__name__}Id", f"the ids of {_place_of(target)}")
        self.ids[target.__name__] = target.spec.name
        return IdOf(target.spec.name, target.__name__)

    # --- models

    def _structure(self, model: type[BaseModel], given: bool) -> Reference:
        generic = model.__pydantic_generic_metadata__
        origin = generic["origin"] or model
        name = f"{origin.__name__}Input" if given else origin.__name__
        self._claim(name, _place_of(origin))
        if name not in self.structures:
            self.structures[name] = None
            self.structures[name] = self._read_structure(name, origin, given)
        arguments = tuple(self._shape(argument, given, [], None) for argument in generic["args"])
        made = self.structures[name]
        if not given and made is not None and any(map(admits_none, arguments)) and _shows_parameter(made):
            raise _Unrepresentable(f"{_named(model)}: its parameter must not be None, which is left out on the wire")
        return Reference(name, arguments)

    def _read_structure(self, name: str, model: type[BaseModel], given: bool) -> Structure:
        place = _place_of(model)
        model.model_rebuild()  # names that were not defined yet when the class was
        if not given and (
            model.__pydantic_decorators__.field_serializers or model.__pydantic_decorators__.model_serializers
        ):
            self.faults.append(f"{place}: serializers of its own make it something that is not declared")
        fields = [self._field(place, model, python, info, given) for python, info in model.model_fields.items()]
        if not given:
            fields = [
                field for field, info in zip(fields, model.model_fields.values(), strict=True) if not info.exclude
            ]
            fields += [self._computed(place, model, *item) for item in model.model_computed_fields.items()]
        parameters = tuple(str(each.__name__) for each in model.__pydantic_generic_metadata__["parameters"])
        doc = doc_of(model.__doc__)
        table = model.spec.name if issubclass(model, Table) else ""
        return Structure(name, parameters, tuple(fields), given, doc, table, _OF_CONVEX.get(model, ""))

    def _field(self, place: str, model: type[BaseModel], python: str, info: FieldInfo, given: bool) -> Field:
        place = f"{place}.{python}"
        alias = (info.validation_alias if given else info.serialization_alias) or info.alias or python
        annotation = info.annotation
        shape = self._shape_at(place, annotation, given=given, metadata=info.metadata, owner=model)
        tag = (
            isinstance(shape, Choice) and len(shape.values) == 1
        )  # without it, nobody could tell which of several it is
        required = info.is_required() or tag if given else not admits_none(shape)
        return Field(
            self._wire_name(place, alias),
            python,
            shape if given else without_none(shape),
            required,
            doc_of(info.description),
            not given and NULL in info.metadata,
        )

    def _computed(self, place: str, model: type[BaseModel], python: str, info: ComputedFieldInfo) -> Field:
        shape = self._shape_at(f"{place}.{python}", info.return_type, given=False, owner=model)
        doc = doc_of(info.description)
        return Field(info.alias or python, python, without_none(shape), not admits_none(shape), doc)

    def _claim(self, name: str, owner: str) -> None:
        if name in RESERVED:
            self.faults.append(f"{owner}: the name {name} has a meaning in generated clients; rename it")
        other = self._owners.setdefault(name, owner)
        if other != owner:
            self.faults.append(f"{owner}: its name in a client would be {name}, as that of {other}; rename one of them")


# --- single shapes ----------------------------------------------------------------------------------------------------


def _flat(metadata: list[Any]) -> collections.abc.Iterator[Any]:
    for entry in metadata:
        yield from _flat(entry.metadata) if isinstance(entry, FieldInfo) else (entry,)


def _array(metadata: list[Any]) -> ArrayOf:
    for entry in metadata:
        if isinstance(entry, ArrayField):
            return ArrayOf(entry.dtype)
    raise _Unrepresentable("declare arrays as Float64Array or Array")


def _beyond_safe(metadata: list[Any]) -> bool:
    bounds = [getattr(entry, name, None) for entry in metadata for name in ("ge", "gt", "le", "lt")]
    return any(isinstance(bound, int) and abs(bound) > _SAFE for bound in bounds)


def _choice(values: tuple[Any, ...]) -> Shape:
    constants = tuple(value for value in values if value is not None)
    if any(type(value) not in (str, int, bool) for value in constants):
        raise _Unrepresentable("a Literal holds strings, integers, booleans or None")
    return one_of([Choice(constants), NONE]) if None in values else Choice(constants)


def _members(kind: type[enum.Enum], given: bool) -> Shape:
    values = tuple(member.value for member in kind)
    if given or not all(isinstance(member, str | int) for member in kind):
        raise _Unrepresentable(f"{_named(kind)} cannot travel{_hint(kind)}")
    return Choice(values)


def _shows_parameter(structure: Structure) -> bool:
    return any(isinstance(field.shape, Parameter) for field in structure.fields)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _place_of(model: type) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def _named(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")


def _hint(kind: Any) -> str:
    return hint(getattr(kind, "__name__", ""), is_enum=isinstance(kind, type) and issubclass(kind, enum.Enum))

"""The tables of a hub as operators see them, with fields and indexes; those too that only the database knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from synovia.dashboard.words import condition_words
from synovia.errors import NotFound
from synovia.functions.registry import Registry
from synovia.keys import BY_ID, IndexSpec
from synovia.schema import CREATION_TIME, File, Id, Model, Table, TableSpec
from synovia.schema.annotations import allows_none, alternatives, element_of, fields_of, value_of
from synovia.transaction.index_use import IndexUse
from synovia_protocol.messages import ArrayRef

FieldKind = Literal["id", "text", "number", "bool", "date", "bytes", "array", "list", "map", "choice", "any"]


class FieldInfo(Model):
    """A field of a table.

    Attributes:
        name: As the database has it.
        kind: What it holds.
        refers_to: The table whose documents it names.
        choices: What it may be, if that is one of a few.
        required: Whether a document has to have it.
    """

    name: str
    kind: FieldKind
    type: str
    refers_to: str | None = None
    choices: list[str] = []
    required: bool = False


class IndexInfo(Model):
    """An index, and how often it was read since this hub was started.

    Attributes:
        used_at: When last, in milliseconds since 1970.
    """

    name: str
    fields: list[str]
    unique: bool = False
    scans: int = 0
    documents: int = 0
    used_at: float | None = None


class WholeReadInfo(Model):
    """A function that has read the whole table for a run, by no index.

    Attributes:
        documents: How many its last run was given, of all that were looked at.
        where: By which condition, in words; None: it wanted all.
        at: When last, in milliseconds since 1970.
    """

    path: str
    runs: int
    documents: int
    where: str | None = None
    at: float


class TableInfo(Model):
    """A table.

    Attributes:
        count: Of its documents.
        declared: Whether the application declares it.
        system: Whether Synovia itself keeps it.
        whole_reads: Which functions have read all of it for a run.
    """

    name: str
    count: int
    declared: bool
    system: bool
    fields: list[FieldInfo]
    indexes: list[IndexInfo]
    whole_reads: list[WholeReadInfo] = []


class Tables:
    """The tables of an application.

    Args:
        system: The models of what Synovia keeps.
    """

    def __init__(self, registry: Registry, system: Mapping[str, type[Table]]) -> None:
        self.models: Mapping[str, type[Table]] = {**registry.models, **system}
        self._declared = registry.models

    def model(self, name: str) -> type[Table]:
        """Give the model of a table.

        Raises:
            NotFound: None is declared.
        """
        found = self.models.get(name)
        if found is None:
            raise NotFound(f"no table {name!r} is declared")
        return found

    def shows(self, name: str) -> bool:
        """Tell whether operators may see a table: what only Synovia's own parts know holds hashes of secrets."""
        return name in self.models or not name.startswith("_")

    def info(self, name: str, count: int, use: IndexUse) -> TableInfo:
        """Describe a table, declared or not."""
        model = self.models.get(name)
        return TableInfo(
            name=name,
            count=count,
            declared=name in self._declared,
            system=name.startswith("_"),
            fields=self.fields(name) or [],
            indexes=[] if model is None else [_index(model.spec, each, use) for each in _shown_indexes(model)],
            whole_reads=list(_whole_reads(name, use)),
        )

    def fields(self, name: str) -> list[FieldInfo] | None:
        """Give the fields that a table declares; None: it is not declared."""
        model = self.models.get(name)
        return None if model is None else list(_fields(model))

    def plain_indexes(self, name: str) -> list[IndexSpec]:
        """Give the indexes of a table that are no searches'."""
        model = self.models.get(name)
        if model is None:
            return []
        inner = {index for each in model.spec.searches for index in (each.index, each.lacking)}
        return [each for each in model.spec.indexes if each not in inner]

    def index(self, name: str, index: str) -> IndexSpec:
        """Give an index of a table.

        Raises:
            NotFound: It has none of that name.
        """
        model = self.models.get(name)
        for each in (BY_ID, *(() if model is None else model.spec.indexes)):
            if each.name == index:
                return each
        raise NotFound(f"{name} has no index {index!r}")


def _shown_indexes(model: type[Table]) -> Iterator[IndexSpec]:
    """List the indexes, without those that only say which documents lack terms."""
    inner = {each.lacking for each in model.spec.searches}
    return (each for each in (BY_ID, *model.spec.indexes) if each not in inner)


def _index(table: TableSpec, index: IndexSpec, use: IndexUse) -> IndexInfo:
    used = use.of(table.name, index.name)
    search = next((each for each in table.searches if each.index == index), None)
    words = [] if search is None else [f"words of {', '.join(search.fields)}"]
    fields = list(index.fields or ("_id",)) if search is None else [*index.fields[:-1], *words]
    return IndexInfo(
        name=index.name, fields=fields, unique=index.unique, scans=used.scans, documents=used.documents,
        used_at=used.at or None,
    )  # fmt: skip


def _whole_reads(table: str, use: IndexUse) -> Iterator[WholeReadInfo]:
    for path, read in use.whole(table):
        where = None if read.where is None else condition_words(read.where)
        yield WholeReadInfo(path=path, runs=read.runs, documents=read.documents, where=where, at=read.at)


def _fields(model: type[Table]) -> Iterator[FieldInfo]:
    for name, info in fields_of(model).items():
        if name == "id":
            continue
        kinds = [kind for kind in alternatives(info.annotation) if kind not in (None, type(None))]
        kind, refers_to, choices = _kind(kinds)
        yield FieldInfo(
            name=info.alias or name, kind=kind, type=_text(info.annotation), refers_to=refers_to, choices=choices,
            required=info.is_required() and not allows_none(info.annotation),
        )  # fmt: skip
    if model.spec.keeps_creation_time:
        yield FieldInfo(name=CREATION_TIME, kind="number", type="float")


def _kind(kinds: list[Any]) -> tuple[FieldKind, str | None, list[str]]:
    if len(kinds) != 1:
        same = {_kind([kind])[0] for kind in kinds}
        return (same.pop() if len(same) == 1 else "any"), None, []
    [kind] = kinds
    inside = element_of(kind)
    if inside is not None:
        _, refers_to, _ = _kind([each for each in alternatives(inside) if each is not type(None)])
        return "list", refers_to, []
    if value_of(kind) is not None:
        return "map", None, []
    return _scalar(kind)


def _scalar(kind: Any) -> tuple[FieldKind, str | None, list[str]]:
    if get_origin(kind) is Id or kind is Id:
        named = next(iter(get_args(kind)), None)
        spec = getattr(named, "spec", None)
        return "id", None if spec is None else spec.name, []
    if get_origin(kind) is Literal:
        return "choice", None, [str(each) for each in get_args(kind)]
    if not isinstance(kind, type):
        return "any", None, []
    if issubclass(kind, Enum):
        return "choice", None, [str(each.value) for each in kind]
    for plain, name in _PLAIN:
        if issubclass(kind, plain):
            return name, None, []
    return "any", None, []


_PLAIN: tuple[tuple[type, FieldKind], ...] = (
    (bool, "bool"),
    (int, "number"),
    (float, "number"),
    (str, "text"),
    (bytes, "bytes"),
    (datetime, "date"),
    (ArrayRef, "array"),
    (File, "map"),
    (BaseModel, "map"),
)


def _text(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    text = str(annotation).replace("typing.", "")
    return ".".join(text.split(".")[-1:]) if "[" not in text and "|" not in text else _short(text)


def _short(text: str) -> str:
    """Leave the names of modules out: ``list[synovia.schema.ids.Id[motion.users.User]]`` is ``list[Id[User]]``."""
    kept, word = [], ""
    for character in text:
        if character.isalnum() or character in "_.":
            word += character
        else:
            kept += [word.split(".")[-1], character]
            word = ""
    return "".join([*kept, word.split(".")[-1]])

# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""The types of what everything takes and gives; names as on the wire."""

from __future__ import annotations

import datetime
from synovia_client import ArrayRef
from typing import Any, Generic, Literal, NewType, NotRequired, TypeVar, TypedDict


ThingId = NewType("ThingId", str)
"""An id in 'things'."""


_I = TypeVar("_I")
_T = TypeVar("_T")
_U = TypeVar("_U")


class Cat(TypedDict):
    kind: Literal['cat']
    lives: int


class CatInput(TypedDict):
    kind: Literal['cat']
    lives: int


class Dog(TypedDict):
    kind: Literal['dog']
    name: str


class DogInput(TypedDict):
    kind: Literal['dog']
    name: str


class Page(TypedDict, Generic[_I]):
    """Some items of a longer list; ``next_cursor`` leads to the following ones, None says that there are none.

    Attributes:
        split_cursor: Where the page may be cut into two; only if it was asked for by ``PaginationOptions``.
        page_status: Whether it should be, likewise: ``SplitRequired`` says that ``items`` are not all of the page.
    """
    items: list[_I]
    nextCursor: NotRequired[str]
    splitCursor: NotRequired[str]
    pageStatus: NotRequired[Literal['SplitRecommended', 'SplitRequired']]


class Pair(TypedDict, Generic[_T, _U]):
    """A structure with parameters."""
    first: _T
    second: list[_U]


class Part(TypedDict):
    """A part, which has parts; it ends no comment: */ and quotes nothing: \"\"\"."""
    owner: ThingId
    parts: list[Part]


class PartInput(TypedDict):
    """A part, which has parts; it ends no comment: */ and quotes nothing: \"\"\"."""
    owner: ThingId
    parts: NotRequired[list[PartInput]]


class PlainInput(TypedDict):
    """A model that is not Synovia's keeps its own names."""
    snake_case: int


Thing = TypedDict(
    'Thing',
    {
        '_id': 'ThingId',
        'flag': 'bool',
        'count': 'int',
        'big': 'int',
        'ratio': 'float',
        'name': 'str',
        'raw': 'bytes',
        'at': 'datetime.datetime',
        'role': "Literal['reader', 'writer']",
        'mixed': "Literal['a', 1, True, 9007199254740993]",
        'series': 'ArrayRef',
        'picture': 'NotRequired[ArrayRef]',
        'maybe': 'NotRequired[str]',
        'either': 'NotRequired[str | list[int | None]]',
        'names': 'list[str]',
        'table': "dict[str, list[Literal['reader', 'writer']]]",
        'byThing': 'dict[str, int]',
        'part': 'Part',
        'anything': 'NotRequired[Any]',
        'odd key': 'int',
        'for': 'int',
        'twice': 'int',
    },
)
"""Every kind of field.

Two paragraphs.
"""

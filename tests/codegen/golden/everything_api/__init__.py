# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""What clients of everything may call, by module, and the types of what it takes and gives."""

from . import mail_box, shop, things
from ._types import (
    Cat,
    CatInput,
    Dog,
    DogInput,
    Page,
    Pair,
    Part,
    PartInput,
    PlainInput,
    Thing,
    ThingId,
)

__all__ = [
    "Cat",
    "CatInput",
    "Dog",
    "DogInput",
    "Page",
    "Pair",
    "Part",
    "PartInput",
    "PlainInput",
    "Thing",
    "ThingId",
    "mail_box",
    "shop",
    "things",
]

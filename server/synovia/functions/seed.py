"""``@seed``: functions that write what an application's database begins with; ``synovia seed`` runs each once."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from synovia.errors import SchemaError
from synovia.functions.context import MutationContext
from synovia.functions.parameters import signature_of
from synovia.functions.places import place_of
from synovia.schema import Table

_MARK = "__synovia_seed__"

SeedBody = Callable[[MutationContext], Awaitable[None]]
B = TypeVar("B", bound=SeedBody)


class SeedState(Table, name="_seeds", system=True, text_ids=True):
    """A seed that has run; its id is the seed's path.

    Attributes:
        at: When, in milliseconds since 1970.
    """

    at: int


@dataclass(eq=False)
class Seed:
    """A declared seed.

    Attributes:
        body: Writes documents; one transaction, as the application itself.
        place: Where it is declared, ``FILE:LINE``.
        path: ``module:name``, by which the database remembers it.
    """

    body: SeedBody
    place: str
    path: str = ""

    def place_in(self, module: str) -> None:
        """Say the path of the module in which it is declared."""
        self.path = f"{module}:{self.body.__name__}"


def seed(body: B) -> B:
    """Declare a seed: ``async def function(ctx: MutationContext) -> None``.

    ``synovia seed`` runs it as the application itself, in one transaction with the note that it has run, so it runs once
    whoever is killed meanwhile; ``--again`` runs it once more, so one that may be run again looks first at what is there.
    Seeds run one after the other: by module, and in a module as they are declared.
    """
    if not _may_be_seed(body):
        raise SchemaError(f"{getattr(body, '__name__', body)}: a seed is an async function of a MutationContext")
    found = Seed(body, place_of(body))
    found.place_in(body.__module__.rpartition(".")[2])
    setattr(body, _MARK, found)
    return body


def _may_be_seed(body: object) -> bool:
    return inspect.iscoroutinefunction(body) and len(signature_of(body).parameters) == 1


def seed_of(value: object) -> Seed | None:
    """Tell which seed a decorated body declares; None for anything else."""
    found: Any = getattr(value, _MARK, None)
    return found if isinstance(found, Seed) else None

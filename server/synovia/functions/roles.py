"""``@roles``: the application's table of roles."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from synovia.errors import SchemaError
from synovia.functions.access import HeldRoles, RoleIn, RoleTable
from synovia.functions.context import QueryContext

logger = logging.getLogger("synovia")

RolesBody = Callable[[QueryContext], Awaitable[str | Collection[str | RoleIn] | None]]
B = TypeVar("B", bound=RolesBody)
_MARK = "__synovia_roles__"


class Roles(RoleTable):
    """The table of roles with the function that finds a caller's."""

    def __init__(self, grants: Mapping[str, Collection[str]], body: RolesBody, within: str | None = None) -> None:
        super().__init__(grants, within)
        self._body = body

    async def of(self, ctx: QueryContext) -> HeldRoles:
        """Find the roles of a caller; somebody who is not signed in has none, and one that is not in the table is none.

        A service has those of its key.
        """
        if ctx.identity is None:
            return HeldRoles()
        found = ctx.identity.roles or await self._body(ctx)
        everywhere, by_tenant = set[str](), dict[str, frozenset[str]]()
        for each in (found,) if isinstance(found, str) else found or ():
            if not isinstance(each, RoleIn):
                everywhere.add(each)
            else:
                by_tenant[each.tenant] = by_tenant.get(each.tenant, frozenset()) | self._known({each.role})
        return HeldRoles(self._known(everywhere), by_tenant)

    def _known(self, named: set[str]) -> frozenset[str]:
        for unknown in named - self.grants.keys():
            logger.error("a caller has the role %r, which is not in the table of roles and grants nothing", unknown)
        return frozenset(named & self.grants.keys())


def roles(grants: Mapping[str, Collection[str]], *, within: str | None = None) -> Callable[[B], B]:
    """Declare the application's one table of roles, on the function that finds a caller's.

    The function runs with the caller's context, and only if somebody is signed in. What it reads is tracked as if the
    function that is called had read it: live queries follow a change of roles.

    Args:
        grants: The capabilities of each role.
        within: The field by which rows name their tenant, where the function gives a ``RoleIn(tenant, role)`` for each role
            that somebody holds in one tenant alone.
    """

    def mark(body: B) -> B:
        is_async: bool = inspect.iscoroutinefunction(body)
        if not is_async:
            raise SchemaError(f"{body.__name__}: what finds the roles is an async function")
        setattr(body, _MARK, Roles(grants, body, within))
        return body

    return mark


def roles_declared_by(value: object) -> Roles | None:
    """Give the table that a decorated body declares; None for anything else."""
    return getattr(value, _MARK, None)

"""Who may call a function: everybody, whoever is signed in, who holds a role or a capability, or nobody from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from synovia.errors import Forbidden, FunctionError, SchemaError, Unauthenticated
from synovia.functions.awaiting import awaited
from synovia.identity import Identity


class CallOrigin(Enum):
    """Where a call comes from, which decides what it may reach.

    Attributes:
        CLIENT: From outside: internal functions do not exist, and access is checked.
        FUNCTION: From an action, for its own caller: internal functions too, and access is checked.
        APPLICATION: From the application itself, as its schedule or its operator: internal functions too, nobody is
            signed in, and access is not checked.
        reaches_internal: Whether internal functions can be called.
        trusted: Whether access is not checked.
    """

    CLIENT = "client"
    FUNCTION = "function"
    APPLICATION = "application"

    reaches_internal: bool
    trusted: bool

    def __init__(self, name: str) -> None:
        self.reaches_internal = name != "client"
        self.trusted = name == "application"


_NO_TABLE = "the application has no table of roles: declare one with @roles"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a function; exactly one of these says it. Nobody may if none does, and the application does not start.

    Attributes:
        public: Everybody, signed in or not.
        signed_in: Everybody who is signed in, with or without a role.
        roles: Who holds at least one of these roles.
        capability: Who holds a role to which this capability is granted.
        internal: Only the application itself: its actions, its schedule, its operator.
        open: Nothing has to be known of the caller: it is for everybody, or cannot be called from outside.
    """

    public: bool = False
    signed_in: bool = False
    roles: tuple[str, ...] = ()
    capability: str | None = None
    internal: bool = False
    open: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "open", self.public or self.internal)

    @classmethod
    def of(
        cls,
        *,
        public: bool = False,
        signed_in: bool = False,
        role: str | tuple[str, ...] = (),
        capability: str | None = None,
        internal: bool = False,
    ) -> Access:
        """Take what a decorator was given.

        Raises:
            SchemaError: It says more than one thing.
        """
        roles = (role,) if isinstance(role, str) else tuple(role)
        said = sum(map(bool, (public, signed_in, roles, capability, internal)))
        if said > 1:
            raise SchemaError(
                "one of public, signed_in, role, capability and internal says who may call it, not several"
            )
        return cls(public, signed_in, roles, capability, internal)

    @property
    def stated(self) -> bool:
        """Whether it says anything."""
        return self != Access()

    def one_answer(self, identity: Identity | None) -> bool:
        """Tell whether this caller may share an answer with everybody who may call the function, as far as this goes."""
        return self.open or (self.signed_in and identity is not None)

    def check(self, table: RoleTable | None) -> None:
        """Check at start that it says something, and that it can be granted.

        Raises:
            SchemaError: It does not say who may call, needs a table of roles that is not there, or names a role or
                capability that is not in it.
        """
        if not self.stated:
            raise SchemaError(
                "nothing says who may call it: write public=True, signed_in=True, role=..., capability=... or internal=True"
            )
        if not self.roles and self.capability is None:
            return
        if table is None:
            raise SchemaError(_NO_TABLE)
        table.check(self.roles, self.capability)

    async def admit(self, ctx: AccessContext) -> None:
        """Let the caller of ``ctx`` in, or not.

        Raises:
            Unauthenticated, Forbidden: The caller may not call the function.
        """
        if self.open or ctx.trusted:
            return
        require_identity(ctx)
        if self.roles:
            await require_role(ctx, *self.roles)
        elif self.capability is not None:
            await require_capability(ctx, self.capability)
        elif not self.signed_in:
            raise Forbidden("nobody may call this")


class RoleIn(NamedTuple):
    """A role that somebody holds in one tenant alone, as in a workspace: for the function under ``@roles`` to give."""

    tenant: str
    role: str


@dataclass(frozen=True, slots=True)
class HeldRoles:
    """The roles of one caller.

    Attributes:
        everywhere: Those that hold wherever it is.
        by_tenant: By the id of a tenant, those that hold there alone.
    """

    everywhere: frozenset[str] = frozenset()
    by_tenant: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def within(self, tenant: str | None) -> frozenset[str]:
        """Give those that hold in a tenant; None: those that hold everywhere."""
        return self.everywhere | self.by_tenant.get(tenant, frozenset()) if tenant is not None else self.everywhere


class RoleTable:
    """An application's roles, and what each may.

    Attributes:
        grants: The capabilities of each role.
        within: The field of rows that names their tenant, where some roles hold in one tenant alone.
    """

    def __init__(self, grants: Mapping[str, Collection[str]], within: str | None = None) -> None:
        self.within = within
        if any(isinstance(granted, str) for granted in grants.values()):
            raise SchemaError("roles: each role has a set of capabilities")
        self.grants: Mapping[str, frozenset[str]] = MappingProxyType({r: frozenset(c) for r, c in grants.items()})

    def check(self, roles: Collection[str], capability: str | None = None) -> None:
        """Check names against the table.

        Raises:
            SchemaError: One is not in it.
        """
        for role in roles:
            if role not in self.grants:
                raise SchemaError(f"the table of roles has no role {role!r}")
        if capability is not None and not any(capability in granted for granted in self.grants.values()):
            raise SchemaError(f"the table of roles grants the capability {capability!r} to nobody")

    def capabilities(self, roles: Collection[str]) -> frozenset[str]:
        """Tell what some roles may together."""
        return frozenset().union(*(self.grants[role] for role in roles))


class CallerAccess:
    """What the caller of one run may do.

    Args:
        table: The application's table of roles.
        find: Finds the caller's roles; asked at most once if ``once``.
        origin: Where the call comes from; the application itself may do everything.
        path: Of the function that is run.
    """

    def __init__(
        self,
        table: RoleTable | None = None,
        find: Callable[[], Awaitable[HeldRoles]] | None = None,
        *,
        origin: CallOrigin = CallOrigin.CLIENT,
        once: bool = True,
        path: str = "",
    ) -> None:
        self._table = table
        self._find = find
        self._once = once
        self._found: HeldRoles | None = None
        self.origin = origin
        self.trusted = origin.trusted
        self.path = path

    def of_application(self) -> CallerAccess:
        """Give what the application itself may do: everything."""
        return CallerAccess(self._table, origin=CallOrigin.APPLICATION, path=self.path)

    @property
    def table(self) -> RoleTable:
        """The application's table.

        Raises:
            SchemaError: It has none.
        """
        if self._table is None:
            raise SchemaError(_NO_TABLE)
        return self._table

    async def roles(self) -> HeldRoles:
        """Tell the caller's roles."""
        if self.trusted or self._find is None:
            return HeldRoles(frozenset(self.table.grants if self.trusted else ()))
        if self._found is None or not self._once:
            _ = self.table
            self._found = await self._find()
        return self._found


class AccessContext(Protocol):
    """What is asked of a function's context to tell whether its caller may."""

    @property
    def identity(self) -> Identity | None: ...

    @property
    def trusted(self) -> bool: ...

    @property
    def access(self) -> CallerAccess: ...

    async def roles(self) -> frozenset[str]: ...

    async def capabilities(self, within: str | None = None) -> frozenset[str]: ...


# --- for bodies -------------------------------------------------------------------------------------------------------


def require_identity(ctx: AccessContext) -> Identity:
    """Give who is calling.

    Raises:
        Unauthenticated: Nobody is signed in.
    """
    identity = ctx.identity
    if identity is None:
        raise Unauthenticated("sign in first")
    return identity


@awaited("require_role")
async def require_role(ctx: AccessContext, *roles: str) -> None:
    """Let only those pass who hold at least one of ``roles``.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: The caller holds none of them.
        SchemaError: The table has no such role.
    """
    ctx.access.table.check(roles)
    if (await ctx.roles()).isdisjoint(roles):
        raise _refusal(ctx, "this is not for your role", {"roles": sorted(roles)})


@awaited("require_capability")
async def require_capability(ctx: AccessContext, capability: str, within: str | None = None) -> None:
    """Let only those pass to one of whose roles ``capability`` is granted.

    Args:
        within: The id of a tenant, of which the roles that somebody holds there alone count, too.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: It is granted to none of the caller's roles.
        SchemaError: The table grants it to nobody.
    """
    ctx.access.table.check((), capability)
    if capability not in await ctx.capabilities(within):
        raise _refusal(ctx, f"this needs {capability}, which your role does not have", {"capability": capability})


def _refusal(ctx: AccessContext, text: str, data: Any) -> FunctionError:
    return Unauthenticated("sign in first") if ctx.identity is None else Forbidden(text, data)

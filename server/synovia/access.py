"""Who may call a function: everybody, whoever is signed in, who holds a role or a capability, or nobody from outside."""

from __future__ import annotations

from dataclasses import dataclass

from synovia.schema import SchemaError


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a function; exactly one of these says it.

    Attributes:
        public: Everybody, signed in or not.
        signed_in: Everybody who is signed in, with or without a role.
        roles: Who holds at least one of these roles.
        capability: Who holds a role to which this capability is granted.
        internal: Only the application itself: its actions, its schedule, its operator.
    """

    public: bool = False
    signed_in: bool = False
    roles: tuple[str, ...] = ()
    capability: str | None = None
    internal: bool = False

    @classmethod
    def of(
        cls,
        *,
        public: bool = False,
        signed_in: bool = False,
        role: str | tuple[str, ...] = (),
        capability: str | None = None,
        internal: bool = False,
    ) -> Access | None:
        """Take what a decorator was given; None if that says nothing.

        Raises:
            SchemaError: It says more than one thing.
        """
        roles = (role,) if isinstance(role, str) else tuple(role)
        said = sum(map(bool, (public, signed_in, roles, capability, internal)))
        if said > 1:
            raise SchemaError(
                "one of public, signed_in, role, capability and internal says who may call it, not several"
            )
        return cls(public, signed_in, roles, capability, internal) if said else None

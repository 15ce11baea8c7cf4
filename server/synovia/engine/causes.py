"""Whose doing a call is, and who may do nothing."""

from __future__ import annotations

from synovia.charges import cause, charged_name
from synovia.errors import Forbidden
from synovia.functions.access import CallOrigin
from synovia.identity import Identity, operates


def cause_of(identity: Identity | None, origin: CallOrigin) -> str | None:
    """Tell who causes what a call schedules: who is signed in, else the address that it is charged to.

    What an operator does is the application's own, and what functions do is caused by who has called them.
    """
    if origin is not CallOrigin.CLIENT:
        return cause()
    if identity is None:
        return charged_name()
    return None if operates(identity) else identity.pseudonym


def refuse_impersonation(identity: Identity | None) -> None:
    """Refuse to do anything for somebody who only looks at the application as another user.

    Raises:
        Forbidden: It is somebody who does.
    """
    if identity is not None and identity.actor is not None:
        raise Forbidden("impersonation is read-only")

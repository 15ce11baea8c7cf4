"""Synovia: a real-time sync server. Write queries and mutations; every client sees them change, live.

Clients subscribe to named queries over one WebSocket. When a mutation commits, every affected query is brought up to date
and only the difference is pushed.
"""

from typing import TYPE_CHECKING

from synovia.auth.accounts import normal_email, same_user
from synovia.errors import Forbidden, FunctionError, InvalidArguments, NotFound, Unauthenticated
from synovia.functions.access import require_capability, require_identity, require_role
from synovia.functions.attachments import Attachment
from synovia.functions.audit import AuditEntry
from synovia.functions.context import ActionContext, MutationContext, QueryContext
from synovia.functions.cron import cron
from synovia.functions.function import action, mutation, query
from synovia.functions.pool import Pool
from synovia.functions.query import Page, between, field, ge, gt, le, lt
from synovia.functions.roles import roles
from synovia.identity import Authenticator, Identity, InvalidToken, SignIn, SignInUnavailable
from synovia.scheduler import CronJob, Retry, ScheduledCall
from synovia.schema import Array, Float64Array, Id, Index, Model, Table
from synovia_protocol.messages import ArrayRef
from synovia_protocol.version import __version__

if TYPE_CHECKING:
    from synovia.app import Synovia

__all__ = [
    "ActionContext",
    "Array",
    "ArrayRef",
    "Attachment",
    "AuditEntry",
    "Authenticator",
    "CronJob",
    "Float64Array",
    "Forbidden",
    "FunctionError",
    "Id",
    "Identity",
    "Index",
    "InvalidArguments",
    "InvalidToken",
    "Model",
    "MutationContext",
    "NotFound",
    "Page",
    "Pool",
    "QueryContext",
    "Retry",
    "ScheduledCall",
    "SignIn",
    "SignInUnavailable",
    "Synovia",
    "Table",
    "Unauthenticated",
    "__version__",
    "action",
    "between",
    "cron",
    "field",
    "ge",
    "gt",
    "le",
    "lt",
    "mutation",
    "normal_email",
    "query",
    "require_capability",
    "require_identity",
    "require_role",
    "roles",
    "same_user",
]


def __getattr__(name: str) -> object:
    # The server with all it needs is imported when somebody asks for it: functions and tests without a socket do not.
    if name == "Synovia":
        from synovia.app import Synovia

        return Synovia
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

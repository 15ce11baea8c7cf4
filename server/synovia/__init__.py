"""Synovia: a real-time sync server. Write queries and mutations; every client sees them change, live.

Clients subscribe to named queries over one WebSocket. When a mutation commits, every affected query is brought up to date
and only the difference is pushed.
"""

from synovia.access import require_capability, require_identity, require_role, roles
from synovia.audit import AuditEntry
from synovia.auth.accounts import normal_email, same_user
from synovia.context import ActionContext, MutationContext, QueryContext
from synovia.errors import Forbidden, FunctionError, InvalidArguments, NotFound, Unauthenticated
from synovia.functions import action, mutation, query
from synovia.identity import Authenticator, Identity, InvalidToken, SignIn, SignInUnavailable
from synovia.querying import Page, between, field, ge, gt, le, lt
from synovia.scheduler import CronJob, Retry, ScheduledCall
from synovia.scheduler.declaring import cron
from synovia.schema import Array, Float64Array, Id, Index, Model, Table
from synovia_protocol.messages import ArrayRef

__all__ = [
    "ActionContext",
    "Array",
    "ArrayRef",
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
    "QueryContext",
    "Retry",
    "ScheduledCall",
    "SignIn",
    "SignInUnavailable",
    "Synovia",
    "Table",
    "Unauthenticated",
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
    raise AttributeError(name)

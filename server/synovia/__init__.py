"""Synovia: a real-time sync server. Write queries and mutations; every client sees them change, live.

Clients subscribe to named queries over one WebSocket. When a mutation commits, every affected query is brought up to date
and only the difference is pushed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from synovia.aggregates.lines import Trend
from synovia.auth.accounts import normal_email, same_user
from synovia.errors import (
    BadCursor,
    ConvexError,
    Forbidden,
    FunctionError,
    InvalidArguments,
    KeyTaken,
    NotFound,
    RateLimited,
    SchemaError,
    Unauthenticated,
    UnknownFunction,
    UnknownIndex,
    WrongKind,
)
from synovia.functions.access import RoleIn, require_capability, require_identity, require_role
from synovia.functions.aggregate import Aggregate
from synovia.functions.attachments import Attachment
from synovia.functions.audit import AuditEntry
from synovia.functions.conditions import Condition, between, field, ge, gt, le, lt
from synovia.functions.context import ActionContext, MutationContext, QueryContext
from synovia.functions.cron import cron
from synovia.functions.env import Env
from synovia.functions.function import action, mutation, query
from synovia.functions.job import job
from synovia.functions.migration import DELETE, migration
from synovia.functions.nearest import Nearest, Scored
from synovia.functions.pages import Page, PaginationOptions
from synovia.functions.pool import Pool
from synovia.functions.query import Query
from synovia.functions.rate_limits import RateLimit, RateLimitState
from synovia.functions.registry import Registry, load_application
from synovia.functions.roles import roles
from synovia.functions.row_rules import RuleContext, allow_read, allow_write, may_read, may_write
from synovia.functions.schema_states import MigrationState
from synovia.functions.search import Search
from synovia.functions.seed import SeedState, seed
from synovia.functions.shared_tables import SharedChanges, SharedDifference, SharedVersion
from synovia.functions.unreadable import UnreadableDocument
from synovia.functions.workflow import WorkflowContext, workflow
from synovia.identity import Authenticator, Identity, InvalidToken, SignIn, SignInUnavailable
from synovia.processes import to_process
from synovia.scheduler import CallOutcome, CronJob, JobProgress, Retry, ScheduledCall, WorkflowStep
from synovia.schema import (
    AggregateIndex,
    Array,
    Encrypted,
    EncryptedSearchable,
    File,
    FileLimits,
    Float64Array,
    Id,
    Index,
    Model,
    SearchIndex,
    Table,
    UnreadableField,
    Upload,
    VectorIndex,
)
from synovia.schema.convex_types import ConvexInt64, ConvexValue, Int64, Nullable
from synovia.schema.kept import Audited, SoftDelete, Timestamps
from synovia.schema.relations import Reference
from synovia.schema.shared import SharedDoc
from synovia.store.base import StoreError, StoreUnavailable
from synovia_protocol.messages import ArrayRef
from synovia_protocol.version import __version__

if TYPE_CHECKING:
    from synovia.app import Synovia
    from synovia.config import Settings

__all__ = [
    "DELETE",
    "ActionContext",
    "Aggregate",
    "AggregateIndex",
    "Array",
    "ArrayRef",
    "Attachment",
    "AuditEntry",
    "Audited",
    "Authenticator",
    "BadCursor",
    "CallOutcome",
    "Condition",
    "ConvexError",
    "ConvexInt64",
    "ConvexValue",
    "CronJob",
    "Encrypted",
    "EncryptedSearchable",
    "Env",
    "File",
    "FileLimits",
    "Float64Array",
    "Forbidden",
    "FunctionError",
    "Id",
    "Identity",
    "Index",
    "Int64",
    "InvalidArguments",
    "InvalidToken",
    "JobProgress",
    "KeyTaken",
    "MigrationState",
    "Model",
    "MutationContext",
    "Nearest",
    "NotFound",
    "Nullable",
    "Page",
    "PaginationOptions",
    "Pool",
    "Query",
    "QueryContext",
    "RateLimit",
    "RateLimitState",
    "RateLimited",
    "Reference",
    "Registry",
    "Retry",
    "RoleIn",
    "RuleContext",
    "ScheduledCall",
    "SchemaError",
    "Scored",
    "Search",
    "SearchIndex",
    "SeedState",
    "Settings",
    "SharedChanges",
    "SharedDifference",
    "SharedDoc",
    "SharedVersion",
    "SignIn",
    "SignInUnavailable",
    "SoftDelete",
    "StoreError",
    "StoreUnavailable",
    "Synovia",
    "Table",
    "Timestamps",
    "Trend",
    "Unauthenticated",
    "UnknownFunction",
    "UnknownIndex",
    "UnreadableDocument",
    "UnreadableField",
    "Upload",
    "VectorIndex",
    "WorkflowContext",
    "WorkflowStep",
    "WrongKind",
    "__version__",
    "action",
    "allow_read",
    "allow_write",
    "between",
    "cron",
    "field",
    "ge",
    "gt",
    "job",
    "le",
    "load_application",
    "lt",
    "may_read",
    "may_write",
    "migration",
    "mutation",
    "normal_email",
    "query",
    "require_capability",
    "require_identity",
    "require_role",
    "roles",
    "same_user",
    "seed",
    "to_process",
    "workflow",
]


_LATER = {"Settings": "synovia.config", "Synovia": "synovia.app"}
"""The server with all it needs is imported when somebody asks for it: functions and tests without a socket do not."""

if not TYPE_CHECKING:  # to a type checker, a module that has this has every attribute

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_LATER[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

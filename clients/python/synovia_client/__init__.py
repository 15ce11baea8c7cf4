"""The Python client of Synovia: live queries, mutations, actions and arrays over one WebSocket."""

from synovia_client.backoff import Backoff
from synovia_client.blocking import BlockingClient
from synovia_client.calls import UNSET, ActionCall, MutationCall, QueryCall, Unset
from synovia_client.changes import Change, QueryChange, Transition
from synovia_client.client import Client
from synovia_client.clock import Clock, Deadline, LoopClock
from synovia_client.delivery import PaginatedHandle, SubscriptionHandle
from synovia_client.desktop.errors import SignInCode, SignInError
from synovia_client.desktop.keyring_tokens import KeyringTokens
from synovia_client.desktop.loopback import ReturnPages
from synovia_client.desktop.sign_in import DesktopSignIn, IssuerWay, SentCode, SignInWays
from synovia_client.edits import Edits, FieldEdits, ItemEdits, Replaced
from synovia_client.errors import (
    AuthenticationError,
    ClientClosed,
    ConnectionFailed,
    ConnectionLost,
    FunctionError,
    OutboxError,
    RequestTimeout,
    SynoviaError,
)
from synovia_client.files import StoredFile, UploadId
from synovia_client.frames import to_pandas, to_polars
from synovia_client.optimistic import OptimisticStore, OptimisticUpdate, QueryResult
from synovia_client.outbox import Outbox
from synovia_client.outbox_recovery import Recovered
from synovia_client.pages import PageStatus, PaginatedSubscription
from synovia_client.presence import Member, Presence
from synovia_client.presence_handle import PresenceHandle
from synovia_client.settings import Timeouts
from synovia_client.shared_doc_handle import SharedDocHandle
from synovia_client.shared_docs import SharedDoc
from synovia_client.state import ConnectionState
from synovia_client.subscription import Subscription
from synovia_client.tokens import AuthState, FileTokens, TokenSet, TokenStore
from synovia_protocol.errors import ErrorCode
from synovia_protocol.messages import ArrayRef
from synovia_protocol.version import __version__

__all__ = [
    "UNSET",
    "ActionCall",
    "ArrayRef",
    "AuthState",
    "AuthenticationError",
    "Backoff",
    "BlockingClient",
    "Change",
    "Client",
    "ClientClosed",
    "Clock",
    "ConnectionFailed",
    "ConnectionLost",
    "ConnectionState",
    "Deadline",
    "DesktopSignIn",
    "Edits",
    "ErrorCode",
    "FieldEdits",
    "FileTokens",
    "FunctionError",
    "IssuerWay",
    "ItemEdits",
    "KeyringTokens",
    "LoopClock",
    "Member",
    "MutationCall",
    "OptimisticStore",
    "OptimisticUpdate",
    "Outbox",
    "OutboxError",
    "PageStatus",
    "PaginatedHandle",
    "PaginatedSubscription",
    "Presence",
    "PresenceHandle",
    "QueryCall",
    "QueryChange",
    "QueryResult",
    "Recovered",
    "Replaced",
    "RequestTimeout",
    "ReturnPages",
    "SentCode",
    "SharedDoc",
    "SharedDocHandle",
    "SignInCode",
    "SignInError",
    "SignInWays",
    "StoredFile",
    "Subscription",
    "SubscriptionHandle",
    "SynoviaError",
    "Timeouts",
    "TokenSet",
    "TokenStore",
    "Transition",
    "Unset",
    "UploadId",
    "__version__",
    "to_pandas",
    "to_polars",
]

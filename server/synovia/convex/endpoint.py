"""The ASGI applications behind ``/api/sync`` and ``/api/{version}/sync``."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from synovia.convex.context import ConvexContext
from synovia.convex.conversation import ConvexConversation
from synovia.convex.socket import ConvexSocket
from synovia.convex.versions import ClientVersion
from synovia.limits.addresses import Address
from synovia.sync.hub import Hub, Peer
from synovia.sync.output import Flusher

CLIENT = "convex-client"
"""The header by which clients other than browsers say what they are."""


class ConvexEndpoint:
    """Serves the sockets of Convex clients beside those of the hub's own protocol."""

    def __init__(self, hub: Hub, context: ConvexContext) -> None:
        self._hub = hub
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket from its handshake to its end."""
        client = client_of(scope)

        def open(
            name: str, address: Address, flusher: Flusher, scope: Scope, receive: Receive, send: Send
        ) -> tuple[ConvexSocket, Peer]:
            socket = ConvexSocket(name, self._context.hub.limits, flusher, scope, receive, send)
            return socket, ConvexConversation(self._context, socket, client, address)

        await self._hub.serve(scope, receive, send, open, None)


def client_of(scope: Scope) -> ClientVersion:
    """Tell which client asks: by its header, or by the path, as browsers cannot send headers with a WebSocket."""
    said = Headers(scope=scope).get(CLIENT)
    version = scope.get("path_params", {}).get("version")
    if said is not None:
        return ClientVersion.of(said)
    return ClientVersion.of("unknown") if version is None else ClientVersion.of(version, "npm")

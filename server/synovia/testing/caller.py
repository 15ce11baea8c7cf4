"""Who calls an application in a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from synovia.engine.engine import Engine
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.identity import Identity
from synovia.store import arrays
from synovia.store.base import Store
from synovia.tasks import begin
from synovia.testing.subscription import Subscription
from synovia_protocol.messages import ArrayRef

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response


class CalledApp(Protocol):
    """What callers need of the application that they call."""

    engine: Engine
    store: Store

    async def catch_up(self) -> None: ...

    def subscription(
        self, path: str, args: Callable[[], Awaitable[Mapping[str, Any]]], identity: Identity | None
    ) -> Subscription: ...

    def http_client(self, identity: Identity | None) -> AsyncClient: ...


class Caller:
    """Calls functions under one identity; results are wire values, arguments may hold numpy arrays.

    Args:
        origin: Where its calls come from: from outside, from a function, or from the application itself.
    """

    def __init__(self, app: CalledApp, identity: Identity | None, origin: CallOrigin = CallOrigin.CLIENT) -> None:
        self._app = app
        self._origin = origin
        self.identity = identity

    async def query(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run a query.

        Raises:
            FunctionError: What a client would get.
        """
        values = await self._stored(args)
        call = self._app.engine.query(path, values, self.identity, origin=self._origin)
        return (await begin(call, path)).value()

    async def mutation(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run a mutation; when this returns, queries and subscriptions see it.

        Raises:
            FunctionError: What a client would get.
        """
        values = await self._stored(args)
        outcome = await begin(self._app.engine.mutate(path, values, self.identity, origin=self._origin), path)
        await self._app.engine.wait_for(outcome.ts or 0)
        await self._app.catch_up()
        return outcome.value()

    async def action(self, path: str, args: Mapping[str, Any] | None = None) -> Any:
        """Run an action.

        Raises:
            FunctionError: What a client would get.
        """
        values = await self._stored(args)
        call = self._app.engine.run_action(path, values, self.identity, origin=self._origin)
        outcome = await begin(call, path)
        await self._app.catch_up()
        return outcome.value()

    def subscribe(self, path: str, args: Mapping[str, Any] | None = None) -> Subscription:
        """Follow a query, as a client does: internal ones do not exist here.

        Raises:
            FunctionError: Once it is entered: there is no such query, or the arguments do not fit.
        """
        return self._app.subscription(path, lambda: self._stored(args), self.identity)

    @cached_property
    def http(self) -> AsyncClient:
        """An httpx client that sends this caller's requests to the application, in this process.

        It needs the extra ``testing``.
        """
        return self._app.http_client(self.identity)

    async def upload(
        self,
        path: str,
        data: bytes,
        *,
        name: str = "file",
        type: str = "application/octet-stream",
        argument: str | None = None,
    ) -> str:
        """Upload a file over HTTP for a mutation or an action, and give what is sent as its argument.

        It needs the extra ``testing``.

        Args:
            path: The function.
            argument: Which of its arguments, on the wire, if it takes several uploads.

        Raises:
            FunctionError: It is not taken.
        """
        wanted = {"path": path, "name": name, "type": type, "size": len(data), "argument": argument}
        begun = _taken(await self.http.post("/api/uploads", json=wanted))
        upload = str(begun.json()["upload"])
        if data:
            headers = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
            _taken(await self.http.patch(f"/api/uploads/{upload}", content=data, headers=headers))
        return upload

    async def array(self, ref: ArrayRef) -> np.ndarray[Any, Any]:
        """Read the samples that a result refers to."""
        return (await arrays.read_range(self._app.store.arrays, ref)).reshape(ref.shape)

    async def _stored(self, args: Mapping[str, Any] | None) -> Any:
        return await arrays.store_arrays(self._app.store.arrays, args or {})


def _taken(answer: Response) -> Response:
    if answer.status_code >= 400:
        error = answer.json()["error"]
        raise FunctionError(error["code"], error["message"], error["data"])
    return answer

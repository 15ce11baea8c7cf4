"""Calls from other threads: those that wait for their answers, and those that give futures."""

from __future__ import annotations

from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar, overload

from synovia_client.calls import ActionCall, MutationCall, QueryCall, spelled_out
from synovia_client.client import Client
from synovia_client.files import FileSource, UploadId
from synovia_client.loop_thread import LoopThread
from synovia_client.optimistic import OptimisticUpdate
from synovia_client.settings import DEFAULT, TimeLimit
from synovia_client.uploads import Array, Progress
from synovia_protocol.messages import ArrayRef

T = TypeVar("T")


class BlockingCalls:
    """The calls of a client that lives on a thread of its own."""

    def __init__(self, client: Client, thread: LoopThread) -> None:
        self._client = client
        self._thread = thread

    @overload
    def query(self, call: QueryCall[T], /, *, timeout: TimeLimit = DEFAULT) -> T: ...
    @overload
    def query(self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT) -> Any: ...
    def query(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Any:
        """Run a query once and give its result."""
        return self._thread.wait(self._client.query(*spelled_out(path, args, "query"), timeout=timeout))

    @overload
    def mutation(
        self,
        call: MutationCall[T],
        /,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> T: ...
    @overload
    def mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Any: ...
    def mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Any:
        """Run a mutation, exactly once, and give its result. An optimistic update runs on the client's thread."""
        return self._thread.wait(self._mutation(path, args, timeout, on_progress, optimistic_update))

    @overload
    def action(
        self, call: ActionCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> T: ...
    @overload
    def action(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any: ...
    def action(
        self,
        path: str | ActionCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any:
        """Run an action, at most once, and give its result."""
        return self._thread.wait(
            self._client.action(*spelled_out(path, args, "action"), timeout=timeout, on_progress=on_progress)
        )

    @overload
    def submit_query(self, call: QueryCall[T], /, *, timeout: TimeLimit = DEFAULT) -> Future[T]: ...
    @overload
    def submit_query(
        self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Future[Any]: ...
    def submit_query(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Future[Any]:
        """Run a query once; see ``submit_mutation`` for what is given back."""
        return self._thread.submit(self._client.query(*spelled_out(path, args, "query"), timeout=timeout))

    @overload
    def submit_mutation(
        self,
        call: MutationCall[T],
        /,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Future[T]: ...
    @overload
    def submit_mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Future[Any]: ...
    def submit_mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Future[Any]:
        """Run a mutation without waiting for it; mutations go out in the order of the calls.

        Returns:
            A future of ``concurrent.futures``: its result, or its error, which says where the call was made. Its callbacks
            run on the client's thread; to cancel it is to wait no longer.
        """
        return self._thread.submit(self._mutation(path, args, timeout, on_progress, optimistic_update))

    def _mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None,
        timeout: TimeLimit,
        on_progress: Progress | None,
        optimistic_update: OptimisticUpdate | None,
    ) -> Coroutine[Any, Any, Any]:
        path, args = spelled_out(path, args, "mutation")
        return self._client.mutation(
            path, args, timeout=timeout, on_progress=on_progress, optimistic_update=optimistic_update
        )

    @overload
    def submit_action(
        self, call: ActionCall[T], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> Future[T]: ...
    @overload
    def submit_action(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]: ...
    def submit_action(
        self,
        path: str | ActionCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Any]:
        """Run an action without waiting for it; see ``submit_mutation`` for what is given back."""
        calling = self._client.action(*spelled_out(path, args, "action"), timeout=timeout, on_progress=on_progress)
        return self._thread.submit(calling)

    def submit_array(
        self,
        ref: ArrayRef,
        start: int = 0,
        stop: int | None = None,
        *,
        points: int | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[Array]:
        """Fetch an array without waiting for it; see ``array``, and ``submit_mutation`` for what is given back."""
        return self._thread.submit(
            self._client.array(ref, start, stop, points=points, timeout=timeout, on_progress=on_progress)
        )

    def array(
        self,
        ref: ArrayRef,
        start: int = 0,
        stop: int | None = None,
        *,
        points: int | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Array:
        """Fetch an array, or a part of it, or its outline; see ``Client.array``."""
        return self._thread.wait(
            self._client.array(ref, start, stop, points=points, timeout=timeout, on_progress=on_progress)
        )

    def upload_file(
        self,
        path: str,
        source: FileSource,
        *,
        name: str | None = None,
        type: str | None = None,
        argument: str | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> UploadId:
        """Upload a file for a function that takes one; see ``Client.upload_file``."""
        return self._thread.wait(
            self._client.upload_file(
                path, source, name=name, type=type, argument=argument, timeout=timeout, on_progress=on_progress
            )
        )

    def submit_file(
        self,
        path: str,
        source: FileSource,
        *,
        name: str | None = None,
        type: str | None = None,
        argument: str | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Future[UploadId]:
        """Upload a file without waiting for it; cancelling what is given back gives the upload up."""
        return self._thread.submit(
            self._client.upload_file(
                path, source, name=name, type=type, argument=argument, timeout=timeout, on_progress=on_progress
            )
        )

    def file_url(self, address: str) -> str:
        """Make an address of a file whole; see ``Client.file_url``."""
        return self._client.file_url(address)

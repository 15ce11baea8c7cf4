"""An application's functions as Convex clients call them: their paths, their arguments, their results."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from synovia.convex.errors import failure_of, server_failure
from synovia.convex.logs import log_texts
from synovia.convex.messages import Failure
from synovia.convex.shapes import shape_of, shape_of_fields
from synovia.convex.values import BadValue, Encoded, Unrepresentable, decode, encode, write
from synovia.errors import InvalidArguments, UnknownFunction
from synovia.functions.function import Function, Kind
from synovia.functions.log_lines import LogLine
from synovia.functions.registry import Registry
from synovia_protocol import codec
from synovia_protocol.errors import ErrorInfo

logger = logging.getLogger("synovia.convex")


class ConvexFunction:
    """One function, with what its annotations say to Convex clients.

    Args:
        tells_logs: Whether clients are told what it logs and prints.

    Attributes:
        path: Where the engine finds it.
    """

    def __init__(self, function: Function, *, tells_logs: bool = False) -> None:
        self.function = function
        self._tells_logs = tells_logs
        self.path = function.path
        self._arguments = shape_of_fields(function.arguments)
        self._result = shape_of(function.returns)

    def arguments(self, given: Any) -> dict[str, Any]:
        """Read the arguments of a call: an object, or a list of one.

        Raises:
            InvalidArguments: They are no values, or not by name.
        """
        if isinstance(given, list) and len(given) <= 1:
            given = given[0] if given else {}
        if not isinstance(given, dict):
            raise InvalidArguments(f"{self.path}: send the arguments by name, as one object")
        try:
            found: dict[str, Any] = {
                name: decode(value, None if self._arguments is None else self._arguments.fields.get(name), 1)
                for name, value in given.items()
            }
        except BadValue as error:
            raise InvalidArguments(f"{self.path}: {error}") from None
        return found

    def tree(self, packed: bytes, form: type[Encoded] = Encoded) -> Any:
        """Turn a result into what ``values.write`` writes.

        Raises:
            Unrepresentable: A Convex client cannot hold it.
        """
        return encode(codec.unpack(packed, codec.FROM_SERVER), self._result, form)

    def result(self, packed: bytes | None, error: ErrorInfo | None, form: type[Encoded] = Encoded) -> str | Failure:
        """Write a result in JSON; one that no Convex client can hold is a failure of this call alone."""
        if error is not None or packed is None:
            return failure_of(error, form) if error is not None else "null"
        try:
            return write(self.tree(packed, form))
        except Unrepresentable as fault:
            logger.warning("%s: its result cannot be sent to a Convex client: %s", self.path, fault)
            return server_failure(f"the result of {self.path} cannot be sent to a Convex client: {fault}")

    def logged(self, lines: Iterable[LogLine]) -> tuple[str, ...]:
        """Write what a run has logged, as far as clients are told."""
        return log_texts(lines) if self._tells_logs else ()


class ConvexFunctions:
    """Finds functions by the paths that Convex clients use.

    ``messages:sendNow`` is what the registry calls so, else ``messages:send_now``; ``m``, ``m:default`` and
    ``m.js:default`` are one.
    """

    def __init__(self, registry: Registry, *, tells_logs: bool = False) -> None:
        self._registry = registry
        self._tells_logs = tells_logs
        self._known: dict[str, ConvexFunction] = {}
        self._paths = _camel_paths(registry.functions)

    def find(self, path: str, kind: Kind) -> ConvexFunction:
        """Find a function that clients may call.

        Raises:
            UnknownFunction: There is none at that path.
            WrongKind: It is of another kind.
        """
        return self._of(self._registry.find(self._own_path(path), kind))

    def find_any(self, path: str) -> ConvexFunction:
        """Find a function of any kind; else as ``find``."""
        own = self._own_path(path)
        function = self._registry.functions.get(own)
        if function is None:
            raise UnknownFunction(f"there is no function {path!r}")
        return self._of(self._registry.find(own, function.kind))

    def takes(self, path: str, argument: str) -> bool:
        """Tell whether the function at a path has an argument of this name."""
        function = self._registry.functions.get(self._own_path(path))
        return function is not None and any(
            argument in (name, field.alias) for name, field in function.arguments.model_fields.items()
        )

    def _own_path(self, path: str) -> str:
        canonical = canonical_path(path)
        return canonical if canonical in self._registry.functions else self._paths.get(canonical, canonical)

    def _of(self, function: Function) -> ConvexFunction:
        known = self._known.get(function.path)
        if known is None:
            known = self._known[function.path] = ConvexFunction(function, tells_logs=self._tells_logs)
        return known


def canonical_path(path: str) -> str:
    """Bring a path into the form ``folder/module:function``."""
    module, colon, name = path.rpartition(":")
    if not colon:
        module, name = path, "default"
    return f"{module.removesuffix('.js')}:{name}"


def convex_path(function: Function) -> str:
    """Tell the path by which Convex clients call a function: that of the registry, in camelCase."""
    module = "/".join(to_camel(part) for part in function.module.split("/"))
    return f"{module}:{to_camel(function.name)}"


def _camel_paths(functions: Mapping[str, Function]) -> dict[str, str]:
    """List the paths in camelCase that lead to one function alone."""
    found: dict[str, list[str]] = {}
    for path, function in functions.items():
        for camel in {convex_path(function), f"{function.module}:{to_camel(function.name)}"}:
            found.setdefault(camel, []).append(path)
    return {camel: paths[0] for camel, paths in found.items() if len(paths) == 1}

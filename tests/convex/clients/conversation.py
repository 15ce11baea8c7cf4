# mypy: ignore-errors
"""python conversation.py URL: what PyPI's client does, against a hub that serves tests/apps/convex_kit."""

from __future__ import annotations

import math
import subprocess
import sys
import uuid

from convex.http_client import ConvexHttpClient

from convex import ConvexClient, ConvexError, ConvexInt64

URL = sys.argv[1]
SENDER = (
    "import sys\nfrom convex import ConvexClient\nclient = ConvexClient(sys.argv[1])\n"
    "for body in '12': client.mutation('messages:send', {'channel': sys.argv[2], 'author': 'b', 'body': body})\n"
)


def message(channel: str, body: str) -> dict[str, str]:
    return {"channel": channel, "author": "ann", "body": body}


def check_calls() -> None:
    client, channel = ConvexClient(URL), uuid.uuid4().hex
    sent = client.mutation("messages:send", message(channel, "x"))
    (row,) = client.query("messages:list", {"channel": channel})
    assert (row["_id"], row["body"], type(row["_creationTime"])) == (sent, "x", float)
    assert client.action("actions:add", {"a": 1, "b": 2.5}) == 3.5
    assert client.query("hello") == "hello, world"
    assert client.mutation("values:echoMutation", {"value": None}) is None


def check_values() -> None:
    for client in (ConvexClient(URL), ConvexHttpClient(URL)):
        for value in (None, True, "å🦒", 5, 0.5, math.inf, b"\x00\xff", [1, [None]], {"a": {"b": [1]}}):
            assert client.query("values:echo", {"value": value}) == value
        got = client.query("values:echo", {"value": ConvexInt64(-(2**63))})
        assert (type(got), got.value) == (ConvexInt64, -(2**63))
        assert math.copysign(1, client.query("values:echo", {"value": -0.0})) < 0
        assert math.isnan(client.query("values:echo", {"value": math.nan}))


def raised(call, *args: object) -> Exception:
    try:
        call(*args)
    except Exception as error:
        return error
    raise AssertionError(f"nothing was raised by {args}")


def check_errors() -> None:
    for client in (ConvexClient(URL), ConvexHttpClient(URL)):
        for call, name in ((client.query, "Query"), (client.mutation, "Mutation"), (client.action, "Action")):
            for data in ({"code": "NOPE"}, "text", None):
                error = raised(call, f"errors:fail{name}", {"data": data})
                assert isinstance(error, ConvexError)
                assert error.data == data
            error = raised(call, f"errors:crash{name}", {})
            assert not isinstance(error, ConvexError)
            assert "Server Error" in str(error)


def check_subscription() -> None:
    client, channel, seen = ConvexClient(URL), uuid.uuid4().hex, []
    for count in client.subscribe("messages:count", {"channel": channel}):
        seen.append(count)
        if not count:  # the client holds the interpreter while it waits, so another process has to send
            sender = subprocess.Popen([sys.executable, "-c", SENDER, URL, channel])
        if count == 2:
            break
    assert sender.wait(20) == 0
    assert seen == [0, 1, 2]


def check_sign_in() -> None:
    client = ConvexClient(URL)
    client.set_auth("dev:ann@example.org")
    assert client.query("users:me")["subject"] == "ann@example.org"
    client.clear_auth()
    assert client.query("users:me") is None
    http = ConvexHttpClient(URL)
    http.set_auth("nonsense")
    assert "401" in str(raised(http.query, "users:me"))


for check in (check_calls, check_values, check_errors, check_subscription, check_sign_in):
    check()
    print("ok", check.__name__, flush=True)

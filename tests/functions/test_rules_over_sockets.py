"""What a rule hides is not to be had over a socket either: arrays, live queries, a connection that becomes another's."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing

import numpy as np
import pytest

from helpers.running_hub import RunningHub, running_hub
from helpers.tenant_scene import REGISTRY
from synovia.functions.access import CallOrigin
from synovia_client import Client, FunctionError

SAMPLES = np.linspace(0.0, 1.0, 1_000)


async def found(hub: RunningHub, slug: str, members: dict[str, str]) -> str:
    args = {"slug": slug, "members": members}
    outcome = await hub.app.engine.mutate("tenants:found", args, None, origin=CallOrigin.APPLICATION)
    return str(outcome.value())


async def test_arrays_and_live_queries_keep_to_their_tenant() -> None:
    async with running_hub("sqlite://:memory:", REGISTRY) as hub, AsyncExitStack() as people:
        north = await found(hub, "north", {"ann": "member"})
        await found(hub, "south", {"sue": "admin"})
        ann, sue = [
            await people.enter_async_context(Client(f"ws://127.0.0.1:{hub.port}", token=f"dev:{name}.org"))
            for name in ("ann@north", "sue@south")
        ]
        async with sue.subscribe("tenants:everything"), ann.subscribe("tenants:loads"):
            id_ = await ann.mutation("tenants:add", {"organizationId": north, "title": "plan", "load": SAMPLES})
            refs = await ann.query("tenants:loads")
            assert np.array_equal(await ann.array(refs[0]), SAMPLES)
            with pytest.raises(FunctionError) as caught:
                await sue.array(refs[0])
            assert caught.value.code == "array_not_found"
            assert await sue.query("tenants:loads") == []
            assert await sue.query("tenants:one", {"scheduleId": id_}) is None
            for path in ("tenants:remove", "tenants:bring_back"):
                with pytest.raises(FunctionError) as caught:
                    await sue.mutation(path, {"scheduleId": id_})
                assert caught.value.code == "not_found"
            value = await sue.query("tenants:everything")
            assert (value["titles"], value["count"], value["organizations"]) == ([], 0, ["south"])


async def test_a_connection_that_becomes_somebody_elses_is_shown_theirs() -> None:
    """The client resumes with what it holds and a digest of it: nothing of the one before is left."""
    async with running_hub("sqlite://:memory:", REGISTRY) as hub:
        north, _ = await found(hub, "north", {"ann": "member"}), await found(hub, "south", {"sue": "admin"})
        async with Client(f"ws://127.0.0.1:{hub.port}", token="dev:ann@north.org") as client:
            await client.mutation("tenants:add", {"organizationId": north, "title": "plan"})
            async with client.subscribe("tenants:everything") as shown, aclosing(aiter(shown)) as values:
                seen = await anext(values)
                assert (seen["titles"], seen["organizations"]) == (["plan"], ["north"])
                for token, organizations in (("dev:sue@south.org", ["south"]), ("dev:eve@nowhere.org", [])):
                    await client.authenticate(token)
                    while seen["organizations"] != organizations:
                        seen = await anext(values)
                    assert seen["titles"] == []

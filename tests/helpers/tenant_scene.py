"""Two organizations of the application ``tenants``, their people, and what each has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps import tenants
from synovia import FunctionError
from synovia.functions.registry import collect
from synovia.testing import TestApp
from synovia.testing.caller import Caller

REGISTRY = collect("tenants", [tenants])


@dataclass
class Scene:
    """North has an admin, a member and a viewer, and three schedules; south has a member and one."""

    app: TestApp
    ids: dict[str, str]

    def person(self, name: str) -> Caller:
        return self.app.caller(f"{name}.org")


async def scene_in(app: TestApp) -> Scene:
    north = await app.trusted.mutation(
        "tenants:found", {"slug": "north", "members": {"ann": "admin", "ben": "member", "vic": "viewer"}}
    )
    south = await app.trusted.mutation("tenants:found", {"slug": "south", "members": {"sue": "member"}})
    scene = Scene(app, {"north": north, "south": south})
    ann, ben, sue = scene.person("ann@north"), scene.person("ben@north"), scene.person("sue@south")
    for who, organization, title, more in (
        (ann, north, "plan", {"start": 30}),
        (ann, north, "secret", {"start": 10, "private": True}),
        (ben, north, "talk", {"start": 20}),
        (sue, south, "south plan", {"start": 99}),
    ):
        scene.ids[title] = await who.mutation("tenants:add", {"organizationId": organization, "title": title, **more})
        scene.ids[f"note of {title}"] = await who.mutation(
            "tenants:note", {"scheduleId": scene.ids[title], "text": f"of {title}"}
        )
    return scene


async def code_of(call: Any) -> str:
    try:
        await call
    except FunctionError as error:
        return error.code
    return "ok"

"""The generated clients of events: programs that use them are checked, and their faults found."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.compiling import check_python, check_typescript, expected
from synovia.codegen import generate
from synovia.functions.registry import Registry

PYTHON = """
from synovia_client import Client

from tickets import gatherings, orders, passes

async def buy(client: Client) -> int:
    page = await client.query(gatherings.published())
    [tier] = await client.query(gatherings.tiers(event_id=page["items"][0]["_id"]))
    order = await client.mutation(orders.reserve(tier_id=tier["_id"], quantity=2))
    orders.reserve(tier_id=order)  # wrong: arg-type
    passes.check_in(event_id=tier["eventId"], scanner="door")  # wrong: call-arg
    return tier["left"]
"""
TYPESCRIPT = """
import type { SynoviaClient } from "synovia-client";
import { api } from "./api.js";

export async function buy(client: SynoviaClient): Promise<number> {
  const page = await client.query(api.gatherings.published);
  const [tier] = await client.query(api.gatherings.tiers, { eventId: page.items[0]!._id });
  const order = await client.mutation(api.orders.reserve, { tierId: tier!._id, quantity: 2 });
  await client.mutation(api.orders.reserve, { tierId: order }); // wrong: TS2322
  return tier!.left;
}
"""


@pytest.mark.slow
def test_programs_with_generated_clients_are_checked(registry: Registry, tmp_path: Path) -> None:
    for client in generate(registry, py=tmp_path / "tickets", ts=tmp_path / "ts"):
        client.apply()
    for name in ("python", "typescript"):
        (tmp_path / name).mkdir()
    assert check_python(PYTHON, tmp_path / "python", tmp_path / "tickets") == expected(PYTHON)
    assert check_typescript(TYPESCRIPT, tmp_path / "typescript", tmp_path / "ts") == expected(TYPESCRIPT)

"""A small application for tests of the dashboard: patients, their trials with samples, and work of every kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from synovia import (
    ActionContext,
    Float64Array,
    FunctionError,
    Id,
    Index,
    MutationContext,
    QueryContext,
    Reference,
    Table,
    action,
    field,
    http,
    mutation,
    query,
)


class Patient(Table, name="patients", indexes=[Index("by_name", "name")]):
    name: str
    age: int = 40
    city: str = ""


class Trial(Table, name="trials", indexes=[Index("by_patient", "patient_id")]):
    patient_id: Annotated[Id[Patient], Reference("cascade")]
    samples: Float64Array


class Invoice(Table, name="invoices", indexes=[Index("by_patient", "patient_id")]):
    patient_id: Annotated[Id[Patient], Reference("restrict")]
    amount: float


@query(public=True)
async def named(ctx: QueryContext, name: str) -> list[Patient]:
    """Patients of a name."""
    print("looked for", name)
    return await ctx.db.query(Patient).using("by_name", name=name).collect()


@query(public=True)
async def in_city(ctx: QueryContext, city: str) -> list[Patient]:
    """Patients of a city, found by no index."""
    return await ctx.db.query(Patient).where(field("city") == city).collect()


@mutation(public=True)
async def admit(ctx: MutationContext, name: str, city: str = "") -> Id[Patient]:
    """Take a patient in."""
    print("admitted", name)
    return await ctx.db.insert(Patient(name=name, city=city))


@mutation(public=True)
async def admit_many(ctx: MutationContext, count: int, first: int = 0) -> None:
    numbers = range(first, first + count)
    await ctx.db.insert_many([Patient(name=f"patient {n:07}", age=n % 90, city=f"city {n % 50}") for n in numbers])


@mutation(public=True)
async def measure(ctx: MutationContext, patient_id: Id[Patient]) -> Id[Trial]:
    samples = np.sin(np.linspace(0.0, 40.0, 20_000))
    return await ctx.db.insert(Trial(patient_id=patient_id, samples=await ctx.arrays.write(samples)))


@mutation(public=True)
async def bill(ctx: MutationContext, patient_id: Id[Patient], amount: float) -> Id[Invoice]:
    return await ctx.db.insert(Invoice(patient_id=patient_id, amount=amount))


@mutation(public=True)
async def admit_later(ctx: MutationContext, name: str) -> None:
    await ctx.scheduler.run_after(timedelta(hours=1), "operated:admit", {"name": name})


@mutation(public=True)
async def fail_soon(ctx: MutationContext) -> None:
    await ctx.scheduler.run_after(timedelta(), "operated:fail", {})


@mutation(internal=True)
async def fail(ctx: MutationContext) -> None:
    raise FunctionError("no_bed", "there is no bed left")


@action(public=True)
async def greet(ctx: ActionContext, name: str, loud: bool = False) -> str:
    """Greet somebody."""
    return f"HELLO {name.upper()}" if loud else f"hello {name}"


@http.route("/ward", methods=["GET"], public=True)
async def ward(ctx: ActionContext, request: Request) -> Response:
    """Tell where the ward is."""
    return PlainTextResponse("second floor")

"""An application for tests: clinics, their teams and people, and what becomes of them when one goes."""

from __future__ import annotations

from typing import Annotated, Any

from synovia import FunctionError, Id, Index, MutationContext, QueryContext, Reference, Table, mutation, query


class Clinic(Table, name="clinics"):
    name: str


class Team(Table, name="teams", indexes=[Index("by_clinic", "clinic_id"), Index("by_above", "above_id")]):
    clinic_id: Annotated[Id[Clinic], Reference("cascade")]
    above_id: Annotated[Id[Team] | None, Reference("cascade")] = None
    name: str


class Person(Table, name="people", indexes=[Index("by_team", "team_id"), Index("by_chief", "chief_id", "name")]):
    team_id: Annotated[Id[Team], Reference("cascade")]
    chief_id: Annotated[Id[Person] | None, Reference("unset")] = None
    name: str


class Invoice(Table, name="invoices", indexes=[Index("by_person", "person_id"), Index("by_clinic", "clinic_id")]):
    person_id: Annotated[Id[Person], Reference("restrict")]
    clinic_id: Annotated[Id[Clinic] | None, Reference("cascade")] = None


@mutation(public=True)
async def clinic(ctx: MutationContext, name: str) -> Id[Clinic]:
    return await ctx.db.insert(Clinic(name=name))


@mutation(public=True)
async def team(ctx: MutationContext, clinic_id: Id[Clinic], name: str, above_id: Id[Team] | None = None) -> Id[Team]:
    return await ctx.db.insert(Team(clinic_id=clinic_id, name=name, above_id=above_id))


@mutation(public=True)
async def own_team(ctx: MutationContext, clinic_id: Id[Clinic], id: str) -> Id[Team]:
    return await ctx.db.insert(Team(id=Id(id), clinic_id=clinic_id, name=id, above_id=Id(id)))


@mutation(public=True)
async def person(ctx: MutationContext, team_id: Id[Team], name: str, chief_id: Id[Person] | None = None) -> Id[Person]:
    return await ctx.db.insert(Person(team_id=team_id, name=name, chief_id=chief_id))


@mutation(public=True)
async def invoice(ctx: MutationContext, person_id: Id[Person], clinic_id: Id[Clinic] | None = None) -> Id[Invoice]:
    return await ctx.db.insert(Invoice(person_id=person_id, clinic_id=clinic_id))


@mutation(public=True)
async def move(ctx: MutationContext, person_id: Id[Person], team_id: Id[Team]) -> None:
    await ctx.db.patch(person_id, team_id=team_id)


@mutation(public=True)
async def under(ctx: MutationContext, team_id: Id[Team], above_id: Id[Team]) -> None:
    await ctx.db.patch(team_id, above_id=above_id)


@mutation(public=True)
async def close(ctx: MutationContext, clinic_id: Id[Clinic]) -> None:
    await ctx.db.delete(clinic_id)


@mutation(public=True)
async def dismiss(ctx: MutationContext, person_id: Id[Person]) -> None:
    await ctx.db.delete(person_id)


@mutation(public=True)
async def try_to_close(ctx: MutationContext, clinic_id: Id[Clinic]) -> str:
    try:
        await ctx.db.delete(clinic_id)
    except FunctionError as error:
        return error.code
    return "closed"


@mutation(public=True)
async def close_all(ctx: MutationContext) -> int:
    return await ctx.db.delete_where(ctx.db.query(Clinic))


@query(public=True)
async def everything(ctx: QueryContext) -> dict[str, Any]:
    people = await ctx.db.query(Person).collect()
    return {
        "clinics": [each.name for each in await ctx.db.query(Clinic).collect()],
        "teams": [each.name for each in await ctx.db.query(Team).collect()],
        "people": [[each.name, each.chief_id is not None] for each in people],
        "invoices": await ctx.db.query(Invoice).count(),
    }

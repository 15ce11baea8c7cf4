"""An application for tests: households go with all that is theirs, however much that is, and over however many tables."""

from __future__ import annotations

from typing import Annotated, Any

from synovia import Audited, Id, Index, MutationContext, Page, QueryContext, Reference, Table, field, mutation, query


class Household(Table, name="households", text_ids=True):
    name: str


class Person(Table, Audited, name="persons", indexes=[Index("by_household", "household_id", "age")]):
    household_id: Annotated[Id[Household], Reference("cascade")]
    age: int


class Toy(Table, name="toys", indexes=[Index("by_owner", "owner_id"), Index("by_lender", "lender_id")]):
    """Belongs to a person, and so only indirectly to a household; whoever has lent it may go, and it stays."""

    owner_id: Annotated[Id[Person], Reference("cascade")]
    lender_id: Annotated[Id[Person] | None, Reference("unset")] = None


@mutation(internal=True)
async def settle(ctx: MutationContext, name: str, persons: int, toys: int = 0) -> Id[Household]:
    household = await ctx.db.insert(Household(id=Id(name), name=name))
    ids = await ctx.db.insert_many([Person(household_id=household, age=age) for age in range(persons)])
    await ctx.db.insert_many([Toy(owner_id=ids[number % persons]) for number in range(toys)])
    return household


@mutation(public=True)
async def lend(ctx: MutationContext, household: Id[Household], to: Id[Household]) -> None:
    """Have the first person of one household lend a toy to the first one of another."""
    lender, owner = [
        (await ctx.db.query(Person).using("by_household", household_id=each).take(1))[0].id for each in (household, to)
    ]
    await ctx.db.insert(Toy(owner_id=owner, lender_id=lender))


@mutation(public=True)
async def leave(ctx: MutationContext, household: Id[Household]) -> int:
    await ctx.db.delete(household)
    return await ctx.db.query(Person).using("by_household", household_id=household).count()


@mutation(public=True)
async def found(ctx: MutationContext, name: str) -> None:
    await ctx.db.insert(Household(id=Id(name), name=name))


@mutation(public=True)
async def rename(ctx: MutationContext, person: Id[Person]) -> None:
    await ctx.db.patch(person, age=1_000)


@query(public=True)
async def census(ctx: QueryContext) -> dict[str, Any]:
    persons, toys = ctx.db.query(Person), ctx.db.query(Toy)
    return {
        "households": [each.name for each in await ctx.db.query(Household).collect()],
        "persons": await persons.count(),
        "listed": len(await persons.collect()),
        "groups": dict(await persons.group_by("household_id").count()),
        "toys": await toys.count(),
        "lent": await toys.where(field("lender_id") != None).count(),  # noqa: E711
    }


@query(public=True)
async def page(ctx: QueryContext, cursor: str | None = None) -> Page[Person]:
    return await ctx.db.query(Person).paginate(cursor, 400)


@query(internal=True)
async def first_of(ctx: QueryContext, household: Id[Household]) -> Id[Person]:
    return (await ctx.db.query(Person).using("by_household", household_id=household).take(1))[0].id

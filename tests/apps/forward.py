"""A small application whose models name what is declared below them."""

from __future__ import annotations

from typing import Any

from synovia import Id, Index, Model, MutationContext, QueryContext, Table, mutation, query


class Entry(Model):
    person_id: Id[Person]


class Person(Table, indexes=[Index("by_entry", "entries.person_id")]):
    name: str
    entries: list[Entry] = []


class Sheet(Model):
    answer: Answer | None = None


class Form(Table):
    sheet: Sheet


class Answer(Model):
    anything: Any = None


@mutation(public=True)
async def add(ctx: MutationContext, name: str) -> Id[Person]:
    return await ctx.db.insert(Person(name=name))


@query(public=True)
async def listed_by(ctx: QueryContext, person_id: str) -> list[Person]:
    return await ctx.db.query(Person).using("by_entry", entries__person_id=person_id).collect()

"""Who is calling."""

from __future__ import annotations

from synovia import Identity, Model, MutationContext, Nullable, QueryContext, mutation, query


class Caller(Model):
    subject: str
    issuer: str
    token_identifier: str
    name: Nullable[str] = None


def _caller(identity: Identity | None) -> Caller | None:
    if identity is None:
        return None
    return Caller(subject=identity.subject, issuer=identity.issuer, token_identifier=identity.key, name=identity.name)


@query(public=True)
async def me(ctx: QueryContext) -> Caller | None:
    return _caller(ctx.identity)


@mutation(public=True)
async def me_mutation(ctx: MutationContext) -> Caller | None:
    return _caller(ctx.identity)

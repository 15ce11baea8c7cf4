"""Two tenants to look at: ``north`` with forty members, and ``south``."""

from learning import schema as its
from synovia import Id, MutationContext, seed

PEOPLE: dict[str, its.Role] = {"Ada": "admin", "Theo": "teacher", "Sofia": "supporter", "Mia": "member"}
COURSES = {"Watercolours": "Art", "First aid": "Health", "Spanish, level 1": "Languages", "Sourdough bread": "Cooking"}
STATUSES: tuple[its.EnrollmentStatus, ...] = ("enrolled", "completed", "enrolled", "dropped")


@seed
async def two_tenants(ctx: MutationContext) -> None:
    """Write what there is to look at."""
    for name, more in (("north", 36), ("south", 2)):
        of, members = await ctx.db.insert(its.Tenant(id=Id(name), name=f"{name.title()} Academy")), []
        for person in [*PEOPLE, *(f"Member {number}" for number in range(more))]:
            email = f"{person.lower().replace(' ', '')}@{name}.example"
            user = await ctx.db.insert(its.User(tenant_id=of, email=email, role=PEOPLE.get(person, "member")))
            members.append(await ctx.db.insert(its.MemberProfile(tenant_id=of, user_id=user, name=person)))
        for place, (title, word) in enumerate(COURSES.items()):
            about = await ctx.db.insert(its.Category(tenant_id=of, name=word))
            course = await ctx.db.insert(its.Course(tenant_id=of, title=title, places=30))
            await ctx.db.insert(its.CourseCategory(tenant_id=of, course_id=course, category_id=about))
            for number, member in enumerate(members[:: place + 2]):
                how = STATUSES[number % 4]
                await ctx.db.insert(its.CourseEnrollment(tenant_id=of, course_id=course, member_id=member, status=how))
            for member in members[place::3]:
                await ctx.db.insert(its.MemberInterest(tenant_id=of, member_id=member, category_id=about))
        for member in members[-3:]:
            await ctx.db.insert(its.SupportTicket(tenant_id=of, member_id=member, subject="I cannot sign in"))

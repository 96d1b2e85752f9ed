"""Who may do what in a large house: many groups, roles, teams and users, and an operator who sees a third of it.

Every number follows from its place, so that two runs fill alike. The tree has sites below the root and racks below the
sites; components stand in racks.
"""

import json

from tests.bench import node_rows

SITES, RACKS = 20, 24  # racks in each site; with the sites five hundred groups
ROLES, TEAMS, USERS = 50, 20, 200
WHOLE_SITES, SINGLE_RACKS = 6, 16  # of the operator: 6 * 24 + 16 = 160 of 480 racks


def fill(components: int, name: str, password: str) -> None:
    """Add it all, the operator with this name; print as JSON what can be asked for."""
    from apps.components.models import Component
    from apps.core.writes import turn
    from apps.groups.models import Group

    root = Group.objects.get(parent=None)
    with turn():
        sites = [Group.objects.create(name=f"Site {number:02}", parent=root) for number in range(SITES)]
        racks = [
            Group.objects.create(name=f"Rack {number:02}", parent=site) for site in sites for number in range(RACKS)
        ]
    node_rows.write(components, racks)
    _people(sites, racks, name, password)
    seen = Component.objects.filter(group=racks[0]).order_by("pk").first()
    print(json.dumps({"site": sites[0].pk, "rack": racks[0].pk, "component": seen and seen.pk}))


def _people(sites: list, racks: list, name: str, password: str) -> None:
    """Add roles, teams, users and what they were granted."""
    from apps.access.models import Grant, Role
    from apps.accounts.models import Team, User
    from apps.core.scoping import PERMISSIONS
    from apps.core.writes import turn

    words = [word for word in PERMISSIONS if word != "view"]
    with turn():
        roles = list(Role.objects.all())
        roles += Role.objects.bulk_create(
            Role(name=f"role-{number:02}", permissions=["view", *words[number % 5 :: 2 + number % 4]])
            for number in range(ROLES - len(roles))
        )
        teams = Team.objects.bulk_create(Team(name=f"team-{number:02}") for number in range(TEAMS))
        users = User.objects.bulk_create(
            User(username=f"user-{number:03}", password="!", email=f"user-{number:03}@example.net")
            for number in range(USERS - 2)  # with the administrator and the operator as many as are asked for
        )
        operator = User.objects.create_user(name, password=password)
        operator_role = Role.objects.get(name="operator")
        for number, user in enumerate(users):
            teams[1 + number % (TEAMS - 1)].members.add(user)
        teams[0].members.add(operator)
        grants = [Grant(team=teams[0], role=operator_role, group=site) for site in sites[:WHOLE_SITES]]
        single = racks[WHOLE_SITES * RACKS :][:SINGLE_RACKS]
        grants += [Grant(user=operator, role=roles[3 + number % 10], group=rack) for number, rack in enumerate(single)]
        grants += [
            Grant(team=team, role=roles[(number * 7) % ROLES], group=sites[number % SITES])
            for number, team in enumerate(teams[1:])
        ]
        grants += [
            Grant(user=user, role=roles[(number * step) % ROLES], group=racks[(number * 5 * step) % len(racks)])
            for number, user in enumerate(users)
            for step in (1, 3, 11)
        ]
        Grant.objects.bulk_create(grants, batch_size=node_rows.ONCE, ignore_conflicts=True)

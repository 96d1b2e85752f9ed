"""Says what is granted to or in what is removed, and which tokens go with it; registered with the core."""

from django.db.models import Model

from apps.access.models import HOLDERS, ApiToken, Grant, SignInRule
from apps.accounts.models import User
from apps.groups.models import Group


def going_with(row: Model) -> dict[str, list[str]]:
    """Give the grants of a user, team or group, and a user's tokens and sign-in rule, in the words of the audit."""
    if isinstance(row, Group):
        grants = Grant.objects.filter(group=row.pk).complete().order_by("pk")
        return {"grants": [f"{one.holder}: {one.role.name}" for one in grants]}
    field = next(
        one.field
        for one in HOLDERS
        if isinstance(row, Grant._meta.get_field(one.field).related_model)  # type: ignore[arg-type]
    )
    held = Grant.objects.filter(**{field: row.pk}).complete().order_by("pk")
    told = {"grants": [f"{one.role.name} · {one.group}" for one in held]}
    if isinstance(row, User):
        tokens = ApiToken.objects.filter(user=row).order_by("pk")
        told["tokens"] = [str(one) for one in tokens]
        told["networks"] = [str(one) for rule in SignInRule.objects.filter(user=row) for one in rule.networks]
    return told

"""The form of a group."""

from collections.abc import Collection
from typing import Any, Self, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.groups.models import Group


class GroupChoice(forms.ModelChoiceField):
    """Chooses a group by its path in the tree."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Group.objects.none(), **options)
        self._tree = Group.objects.none().tree()

    @classmethod
    def of(cls, form: forms.Form, name: str) -> Self:
        """Give the field of a form that chooses a group."""
        return cast(Self, form.fields[name])

    def offer(self, user: Any, permission: str, without: Collection[int] = ()) -> None:
        """Offer the groups in which a user holds a permission."""
        self._tree = Group.objects.visible_to(user).tree()
        self.queryset = Group.objects.visible_to(user, permission).exclude(pk__in=without)

    def label_from_instance(self, obj: Group) -> str:
        """Write the path of a group."""
        return self._tree.path_name(obj.pk) if obj.pk in self._tree.parents else obj.name


class GroupForm(forms.Form):
    """Name, place and description."""

    name = forms.CharField(label=_("Name"), max_length=100)
    parent = GroupChoice(label=_("Stands in"), required=False)
    description = forms.CharField(label=_("Description"), max_length=300, required=False)

    def __init__(self, *args: Any, user: Any, group: Group | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if group is not None and group.parent_id is None:
            del self.fields["parent"]  # the root stays where it is
            return
        parent = GroupChoice.of(self, "parent")
        parent.required = True
        parent.offer(user, "groups", without=Group.objects.all().tree().subtree(group.pk) if group else ())

"""The forms of users and access."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.access.models import Role
from apps.access.models import network as is_network
from apps.access.services import addresses, tokens, whereabouts
from apps.accounts.models import User
from apps.accounts.password_policy import in_words_lazy
from apps.accounts.services import teams
from apps.core import scoping
from apps.core.forms import AsShown
from apps.groups.models import Group


def group_choices(user: Any, permission: str = "access") -> list[tuple[int, str]]:
    """Give the groups in which a user holds a permission, by their way from the root."""
    tree = Group.objects.visible_to(user, permission).tree()
    return [(pk, tree.path_name(pk)) for pk in tree.ordered()]


class RoleChoice(forms.ModelChoiceField):
    """Shows the roles that come with the portal by their translated names."""

    def label_from_instance(self, obj: Any) -> str:
        """Write the role."""
        return str(obj.label)


class GrantForm(forms.Form):
    """A role on a group."""

    role = RoleChoice(label=_("Role"), queryset=Role.objects.all(), empty_label=None)
    group = forms.TypedChoiceField(label=_("On the group and below"), coerce=int)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["group"]
        field.choices = group_choices(user)


def new_password(label: Any) -> forms.CharField:
    """Make the field of a password that somebody gives somebody else."""
    return forms.CharField(
        label=label,
        max_length=1000,
        strip=False,
        help_text=in_words_lazy(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class NewUserForm(GrantForm):
    """A new user with a first role."""

    username = forms.CharField(label=_("User name"), max_length=150, widget=forms.TextInput({"autocomplete": "off"}))
    email = forms.EmailField(label=_("Mail address"), required=False)
    password = new_password(_("Password"))
    must_change_password = forms.BooleanField(
        label=_("Has to choose a password at the first sign-in"), required=False, initial=True
    )
    field_order = ("username", "email", "password", "must_change_password", "role", "group")


class UserForm(AsShown, forms.Form):
    """What is changed about a user."""

    username = forms.CharField(label=_("User name"), max_length=150)
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Mail address"), required=False)
    is_active = forms.BooleanField(label=_("May sign in"), required=False)

    @property
    def changes(self) -> dict[str, Any]:
        """Give what the reader changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class SetPasswordForm(forms.Form):
    """A new password for somebody else."""

    password = new_password(_("New password"))
    must_change_password = forms.BooleanField(
        label=_("Has to choose a password at the next sign-in"), required=False, initial=True
    )


class PermissionsForm(forms.Form):
    """Permissions as boxes, by what they are about."""

    permissions = forms.MultipleChoiceField(
        label=_("May"), choices=list(scoping.PERMISSIONS.items()), widget=forms.CheckboxSelectMultiple
    )

    def sections(self) -> Iterator[tuple[Any, list[Any]]]:
        """Give the boxes under the headings that they belong to."""
        boxes = {str(box.data["value"]): box for box in self["permissions"].subwidgets}
        for section in scoping.SECTIONS:
            yield section.label, [boxes[word] for word in section.permissions]


class RoleForm(PermissionsForm):
    """A role of one's own making."""

    name = forms.CharField(label=_("Name"), max_length=60)
    field_order = ("name",)


class NeedForm(forms.Form):
    """Whether a role needs a second factor."""

    needs_second_factor = forms.BooleanField(
        label=_("Needs a second factor"),
        required=False,
        help_text=_("Whoever holds the role and has none has to set it up before anything else."),
    )


class TeamForm(forms.Form):
    """What a team is called."""

    name = forms.CharField(label=_("Name"), max_length=100)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class NewTeamForm(TeamForm):
    """A team with its first members."""

    members = forms.CharField(
        label=_("Members"),
        max_length=5000,
        required=False,
        help_text=_("User names, with spaces or commas between them."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "list": "user-names"}),
    )

    def clean_members(self) -> list[User]:
        """Find the users of these names."""
        found, missing = teams.named(self.cleaned_data["members"])
        if missing:
            raise forms.ValidationError(_("There is no user %(names)s."), params={"names": ", ".join(missing)})
        return found


class MembersForm(NewTeamForm):
    """Users who come into a team."""

    name = note = None  # type: ignore[assignment]  # not asked for here

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].required = True


class AddressForm(forms.Form):
    """An address that may connect."""

    network = forms.CharField(
        label=_("Address or prefix"), max_length=49, help_text=_("For example 192.0.2.7, 192.0.2.0/24, 2001:db8::/64.")
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class NetworksField(forms.CharField):
    """Addresses and prefixes with spaces or commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 5000, "required": False, **kwargs})

    def clean(self, value: Any) -> list[str]:
        """Give each in its one way; raises ValidationError for what is none."""
        found = addresses.networks(super().clean(value).replace(",", " ").replace("、", " ").split())
        for one in found:
            is_network(one)
        return found


class WhereaboutsForm(forms.Form):
    """From where somebody may sign in."""

    networks = NetworksField(
        label=_("May sign in only from"),
        help_text=_("Addresses or prefixes like 192.0.2.7 or 2001:db8::/64. Empty: from everywhere."),
    )

    def __init__(self, subject: Any, sent: Any = None) -> None:
        initial = {"networks": ", ".join(whereabouts.networks_of(subject))}
        super().__init__(sent, initial=initial, prefix="whereabouts")


class TokenForm(PermissionsForm):
    """A token of one's own, and by how much it may do less than oneself."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is used for."))
    days = forms.IntegerField(
        label=_("Valid for days"), min_value=1, max_value=tokens.LONGEST.days, initial=tokens.LIFETIME.days
    )
    read_only = forms.BooleanField(label=_("May only read"), required=False)
    networks = NetworksField(
        label=_("Used only from"),
        help_text=_("Addresses or prefixes like 192.0.2.7 or 2001:db8::/64. Empty: from everywhere."),
    )
    groups = forms.TypedMultipleChoiceField(
        label=_("Only on these groups and below"),
        coerce=int,
        required=False,
        help_text=_("None chosen: on all that you see."),
    )
    roles = forms.TypedMultipleChoiceField(
        label=_("Only by these roles"), coerce=int, required=False, help_text=_("None chosen: by all that you hold.")
    )
    field_order = ("name", "days", "read_only", "networks", "groups", "roles")

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].required = False
        groups: Any = self.fields["groups"]
        groups.choices = group_choices(user, "view")
        roles: Any = self.fields["roles"]
        roles.choices = [(role.pk, role.label) for role in tokens.roles_of(user)]

    def limits(self) -> tokens.Limits:
        """Give what was chosen; nothing chosen leaves all."""
        sent = self.cleaned_data
        return tokens.Limits(
            read_only=sent["read_only"],
            roles=sent["roles"] or None,
            permissions=sent["permissions"] or None,
            groups=sent["groups"] or None,
            networks=sent["networks"],
        )

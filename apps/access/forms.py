"""The forms of users and access."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.access.models import Role
from apps.accounts.models import User
from apps.accounts.password_policy import in_words_lazy
from apps.accounts.services import teams
from apps.core import scoping
from apps.groups.models import Group


def group_choices(user: Any) -> list[tuple[int, str]]:
    """Give the groups in which a user may manage access, by their way from the root."""
    tree = Group.objects.visible_to(user, "access").tree()
    ways = {pk: [tree.names[at].casefold() for at in tree.path(pk)] for pk in tree.names}
    return [(pk, tree.path_name(pk)) for pk in sorted(ways, key=lambda pk: ways[pk])]


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


class UserForm(forms.Form):
    """What is changed about a user."""

    username = forms.CharField(label=_("User name"), max_length=150)
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Mail address"), required=False)
    is_active = forms.BooleanField(label=_("May sign in"), required=False)


class SetPasswordForm(forms.Form):
    """A new password for somebody else."""

    password = new_password(_("New password"))
    must_change_password = forms.BooleanField(
        label=_("Has to choose a password at the next sign-in"), required=False, initial=True
    )


class RoleForm(forms.Form):
    """A role of one's own making."""

    name = forms.CharField(label=_("Name"), max_length=60)
    permissions = forms.MultipleChoiceField(
        label=_("May"), choices=list(scoping.PERMISSIONS.items()), widget=forms.CheckboxSelectMultiple
    )


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


class TokenForm(forms.Form):
    """A token of one's own."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is used for."))
    days = forms.IntegerField(label=_("Valid for days"), min_value=1, max_value=3650, initial=90)
    read_only = forms.BooleanField(label=_("May only read"), required=False)

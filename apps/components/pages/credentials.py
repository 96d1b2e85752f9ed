"""The pages of credentials: write-only, shared, and opened again after they were refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.components.credential_controls import control_for
from apps.components.credential_kinds import KINDS, CredentialKind
from apps.components.models import Credential
from apps.components.services import credentials
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.groups.forms import GroupChoice
from apps.groups.services import topmost_group

PREFIX = "field_"


class CredentialForm(forms.Form):
    """A name, the group it belongs to, and the fields of one kind."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    group = GroupChoice(label=gettext_lazy("Group"))

    def __init__(self, *args: Any, user: Any, kind: CredentialKind, is_set: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        self._is_set = is_set
        GroupChoice.of(self, "group").offer(user, "credentials")
        for field in kind.fields:
            self.fields[PREFIX + field.name] = control_for(field, is_set)
            self.fields[PREFIX + field.name].initial = field.default

    @property
    def given(self) -> dict[str, str]:
        """Give the fields for the service; secrets that were left empty are left out where they are set."""
        values = {field.name: self.cleaned_data[PREFIX + field.name] for field in self.kind.fields}
        secret = {field.name for field in self.kind.fields if field.secret}
        return {name: value for name, value in values.items() if value or not (self._is_set and name in secret)}

    def refuse(self, error: ValidationError) -> None:
        """Put what the service said at the fields that it named."""
        for name, errors in error.error_dict.items() if hasattr(error, "error_dict") else [("", error.error_list)]:
            for sentence in ValidationError(errors).messages:
                field, _colon, rest = sentence.partition(": ")
                if name == "fields" and PREFIX + field in self.fields:
                    self.add_error(PREFIX + field, rest)
                else:
                    self.add_error(name if name in self.fields else None, sentence)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    credential: Credential
    kind: CredentialKind
    used: int  # by so many interfaces


@require_safe
def credential_list(request: HttpRequest) -> HttpResponse:
    """Show the credentials that the user may see, with how many interfaces use each."""
    if not scoping.may_somewhere(request.user, "credentials"):
        raise PermissionDenied
    rows = Credential.objects.visible_to(request.user, "credentials").select_related("group")
    rows = rows.annotate(used=Count("interfaces"))
    listed = [Row(row, KINDS[row.kind], row.used) for row in rows]
    return render(request, "components/credentials/list.html", {"rows": listed})


def add(request: HttpRequest) -> HttpResponse:
    """Keep a new credential of the kind that the address names."""
    if not scoping.may_somewhere(request.user, "credentials"):
        raise PermissionDenied
    kind = KINDS.get(request.GET.get("kind", ""), KINDS["snmp-community"])
    initial = {"group": topmost_group(request.user, "credentials")}
    form = CredentialForm(request.POST or None, user=request.user, kind=kind, initial=initial)

    def save() -> None:
        given = form.cleaned_data
        credentials.create(given["name"], kind.name, given["group"], form.given, Actor.of(request))

    return _answer(request, form, save, {"title": _("Add a credential"), "kind": kind, "kinds": KINDS.values()})


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a credential: where it was refused, the changed one is tried again at once."""
    credential = get_object_or_404(Credential.objects.visible_to(request.user, "credentials"), pk=pk)
    kind = KINDS[credential.kind]
    present = credential.versions.get(number=credential.version).fields
    initial = {"name": credential.name, "group": credential.group_id}
    initial |= {PREFIX + field.name: present.get(field.name, "") for field in kind.fields if not field.secret}
    form = CredentialForm(request.POST or None, user=request.user, kind=kind, is_set=True, initial=initial)
    for field in kind.fields:
        if not field.secret:
            form.fields[PREFIX + field.name].initial = initial[PREFIX + field.name]

    def save() -> None:
        given = form.cleaned_data
        actor = Actor.of(request)
        credentials.change(credential, actor, name=given["name"], group=given["group"], fields=form.given)

    title = _("Change the credential %(name)s") % {"name": credential.name}
    return _answer(request, form, save, {"title": title, "kind": kind, "credential": credential})


def _answer(
    request: HttpRequest, form: CredentialForm, save: Callable[[], None], context: dict[str, Any]
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The credential was saved."))
            return redirect("components:credentials")
    status = 400 if form.errors else 200
    return render(request, "components/credentials/form.html", {"form": form, **context}, status=status)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a credential that nothing uses."""
    credential = get_object_or_404(Credential.objects.visible_to(request.user, "credentials"), pk=pk)
    try:
        credentials.remove(credential, Actor.of(request))
    except Conflict as conflict:
        messages.error(request, str(conflict))
        return redirect("components:credential", pk=pk)
    messages.success(request, _("The credential %(name)s was removed.") % {"name": credential.name})
    return redirect("components:credentials")

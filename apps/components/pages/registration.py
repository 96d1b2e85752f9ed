"""The pages that register a component, change it, join it with another and remove it."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.components import driver_parameters, extensions, suspend_moves
from apps.components.forms import MOST_FORMS, ComponentForm, InterfaceForm, initial_of
from apps.components.models import Component, ManagementInterface
from apps.components.services import checks, credentials, joining, needs, registration
from apps.components.services.drafts import NewComponent, NewInterface
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.writes import turn
from apps.groups.models import Group
from apps.groups.services import topmost_group


class Refused(Exception):
    """What was entered cannot be saved; the forms say why."""


@sensitive_post_parameters()
def add(request: HttpRequest) -> HttpResponse:
    """Register a component."""
    if not scoping.may_somewhere(request.user, "components"):
        raise PermissionDenied
    initial = {"group": request.GET.get("group") or topmost_group(request.user, "components")}
    form = ComponentForm(request.POST or None, user=request.user, initial=initial)
    forms = _interface_forms(request, [])

    def save() -> Component:
        given = form.cleaned_data
        interfaces = _drafts(request, forms, given["group"])
        return registration.register(NewComponent(**given, interfaces=interfaces), Actor.of(request))

    return _answer(request, form, forms, save, None)


@sensitive_post_parameters()
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a component and the ways in which it is managed."""
    component = _changeable(request, pk)
    initial = {name: getattr(component, name) for name in ("name", "alias", "category", "uuid", "serial_number")}
    initial |= {"group": component.group_id, "alert_addresses": "\n".join(component.alert_addresses)}
    form = ComponentForm(request.POST or None, user=request.user, component=component, initial=initial)
    forms = _interface_forms(request, list(component.interfaces.order_by("pk")))

    def save() -> Component:
        given = form.cleaned_data
        interfaces = _drafts(request, forms, given["group"])
        effects = suspend_moves.effects([component], given["group"], request.user)
        saved = registration.change(component, {**given, "interfaces": interfaces}, Actor.of(request))
        for sentence in effects:
            messages.info(request, sentence)
        return saved

    return _answer(request, form, forms, save, component)


def _changeable(request: HttpRequest, pk: int) -> Component:
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    return component


def _interface_forms(request: HttpRequest, rows: Sequence[ManagementInterface]) -> list[InterfaceForm]:
    """Give a form for each interface that is there or was entered; a new component is offered one."""
    about: dict[str, Any] = {"user": request.user, "present": {row.pk: row for row in rows}}
    if request.method != "POST":
        shown = [initial_of(row) for row in rows] or [{}]
        return [InterfaceForm(prefix=f"i{n}", initial=one, **about) for n, one in enumerate(shown)]
    raw = request.POST.get("interfaces", "")
    number = min(row_id(raw) or 0, MOST_FORMS)
    forms = [InterfaceForm(request.POST, prefix=f"i{n}", **about) for n in range(number)]
    if "more" in request.POST and number < MOST_FORMS:
        forms.append(InterfaceForm(prefix=f"i{number}", **about))
    return forms


def _drafts(request: HttpRequest, forms: list[InterfaceForm], group: Group) -> list[NewInterface]:
    """Give the interfaces that were entered; credentials entered on the spot are kept first."""
    drafts = []
    for form in forms:
        if form.is_empty or form.cleaned_data["remove"]:
            continue
        chosen = form.cleaned_data["credential"]
        credential_id = int(chosen) if chosen.isdigit() else None
        if form.wants_new:
            credential_id = _new_credential(request, form, group)
        drafts.append(form.draft(credential_id))
    return drafts


def _new_credential(request: HttpRequest, form: InterfaceForm, group: Group) -> int:
    """Keep a credential in the component's group, or say at its fields why not."""
    given = form.cleaned_data
    if not scoping.may(request.user, "credentials", group.pk):
        form.add_error("credential", _("You may not add credentials in this group."))
        raise Refused
    name = given["new_name"] or _("%(kind)s of %(address)s") % {"kind": given["new_kind"], "address": given["address"]}
    try:
        return int(credentials.create(name, given["new_kind"], group, form.new_fields(), Actor.of(request)).pk)
    except ValidationError as error:
        form.refuse_credential(error)
        raise Refused from error


def _answer(
    request: HttpRequest,
    form: ComponentForm,
    forms: list[InterfaceForm],
    save: Callable[[], Component],
    component: Component | None,
) -> HttpResponse:
    conflict: Conflict | None = None
    if request.method == "POST" and "more" not in request.POST:
        try:
            saved = _saved(form, forms, save)
        except Conflict as error:
            saved, conflict = None, error
            _mark(conflict, form, forms)
        if saved is not None:
            messages.success(request, _("%(name)s was saved.") % {"name": saved})
            if "check" in request.POST and scoping.may(request.user, "check", saved.group_id):
                return redirect(checks.check([saved], Actor.of(request)))
            return redirect(saved)
    context = {"form": form, "forms": forms, "component": component, "other": _in_the_way(request, conflict)}
    context["needs"] = [
        {"label": _(spec.label), "kinds": needs.kinds_of(spec), "port": needs.port_of(spec)}
        for spec in driver_parameters.offered().values()
    ]
    failed = request.method == "POST" and "more" not in request.POST
    if "more" in request.POST:
        form.errors.clear()  # nothing was to be saved yet
        for each in forms:
            each.errors.clear()
    return render(request, "components/form.html", context, status=400 if failed else 200)


def _mark(conflict: Conflict, form: ComponentForm, forms: list[InterfaceForm]) -> None:
    """Say what stands in the way, and mark the field that it is about."""
    form.add_error(None, str(conflict))
    if conflict.field == "uuid":
        form.add_error("uuid", _("Another component has this UUID."))
    elif conflict.field == "serial_number":
        form.add_error("serial_number", _("Another component has this serial number."))
    elif conflict.position is not None:
        asked = [each for each in forms if not each.is_empty and not each.cleaned_data["remove"]]
        asked[conflict.position].add_error("address", _("This address is managed in this way already."))


def _in_the_way(request: HttpRequest, conflict: Conflict | None) -> dict[str, Any] | None:
    """Give the component that is there already, with what helps."""
    if conflict is None or conflict.component_id is None:
        return None
    found = Component.objects.visible_to(request.user).filter(pk=conflict.component_id).first()
    if found is None:
        return None
    may_change = scoping.may(request.user, "components", found.group_id)
    return {"component": found, "may_change": may_change, "is_managed_so": conflict.position is not None}


def _saved(form: ComponentForm, forms: list[InterfaceForm], save: Callable[[], Component]) -> Component | None:
    """Save all or nothing; what was refused stands at its field. Raises Conflict."""
    valid = [each.is_empty or each.is_valid() for each in forms]
    if not form.is_valid() or not all(valid):
        return None
    try:
        with turn():
            return save()
    except Refused:
        return None
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
    return None


def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then remove a component with everything that was kept of it."""
    component = _changeable(request, pk)
    if request.method == "POST":
        registration.remove([component], Actor.of(request))
        messages.success(request, _("%(name)s was removed.") % {"name": component})
        return redirect("components:list")
    context = {"components": [component], "component": component}
    return render(request, "components/remove_many.html", context)


@require_POST
def join(request: HttpRequest, pk: int) -> HttpResponse:
    """Make one component of two registrations of the same machine; this one stays."""
    component = _changeable(request, pk)
    other = _changeable(request, row_id(request.POST.get("with", "")) or 0)
    try:
        joining.join(component, other, Actor.of(request))
    except (ValidationError, Conflict) as error:
        messages.error(request, " ".join(error.messages) if isinstance(error, ValidationError) else str(error))
    else:
        messages.success(request, _("Both are one component now."))
    return redirect(component)


@require_POST
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an interface out into a component of its own, and show that."""
    component = _changeable(request, pk)
    interface = get_object_or_404(component.interfaces, pk=row_id(request.POST.get("interface", "")) or 0)
    try:
        made = joining.split(interface, Actor.of(request))
    except Conflict as conflict:
        messages.error(request, str(conflict))
        return redirect(component)
    messages.success(request, _("It is a component of its own now: change what it is called, if you like."))
    return redirect(made)


@require_POST
def manage(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin or stop to watch a component."""
    component = _changeable(request, pk)
    try:
        registration.change(component, {"unmanaged": not component.unmanaged}, Actor.of(request))
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(component)


def _act(request: HttpRequest, pk: int, start: Callable[..., Any]) -> HttpResponse:
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "check", component.group_id):
        raise PermissionDenied
    return redirect(start([component], Actor.of(request)))


@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check every connection of a component, and show how that goes."""
    return _act(request, pk, checks.check)


@require_POST
def refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Collect from a component now, and show how that goes, or the tab that was named, where what comes is shown."""
    answer = _act(request, pk, checks.refresh)
    tab = request.POST.get("tab", "")
    if tab not in extensions.tabs:
        return answer
    messages.success(request, _("The devices are being asked. What they say is shown here as it comes."))
    return redirect(f"{reverse('components:component', args=[pk])}?tab={tab}")

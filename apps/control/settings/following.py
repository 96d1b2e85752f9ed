"""The portal goes where a controller went by its order, and signs in as that wants it from now on."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop

from apps.components.models import ManagementInterface
from apps.components.services import credentials, interfaces
from apps.control.settings.writing import ADDRESS, WriteOrder
from apps.core.actors import Actor
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries

LATER_ELSEWHERE = gettext_noop("%(what)s From then on the portal asks it in vain until you change its way of managing.")
AND_ADDRESS = gettext_noop("%(what)s The portal asks it at %(address)s from now on.")
AND_CREDENTIAL = gettext_noop("%(what)s Its credential was changed with it.")
NOT_FOLLOWED = gettext_noop("%(what)s The portal could not follow it by itself: change its way of managing by hand.")


def follow(order: WriteOrder, interface_id: int | None, message: Phrase, actor: Actor) -> Phrase:
    """Have the portal ask at the new address, and sign in anew; gives the message with what was done."""
    row = ManagementInterface.objects.select_related("credential").filter(pk=interface_id).first()
    if row is None or order.reached is None:
        return message
    if order.awaits_restart and (order.plan.carried(Carries.PORT) or order.plan.changes.get(ADDRESS)):
        return Phrase(LATER_ELSEWHERE, {"what": message})
    try:
        address, port = order.reached.address, order.reached.port
        moved_port = order.plan.carried(Carries.PORT) is not None and not order.awaits_restart
        if address != row.address or moved_port:
            interfaces.follow(row, address, port if moved_port else row.port, actor)
            message = Phrase(AND_ADDRESS, {"what": message, "address": address})
        login, password = order.plan.carried(Carries.LOGIN), order.plan.carried(Carries.PASSWORD)
        fields = {name: one for name, one in (("username", login), ("password", password)) if one is not None}
        if fields and row.credential is not None and row.credential.interfaces.count() == 1:
            credentials.change(row.credential, actor, fields=fields)
            message = Phrase(AND_CREDENTIAL, {"what": message})
    except ValidationError:
        message = Phrase(NOT_FOLLOWED, {"what": message})
    return message

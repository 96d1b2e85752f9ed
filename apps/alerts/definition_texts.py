"""The sentences of the shipped alert definitions, for the collectors of messages, which do not read YAML."""

from django.utils.translation import gettext_noop

TEXTS = frozenset(
    {
        gettext_noop("Access lost"),
        gettext_noop("%(component)s does not answer"),
        gettext_noop("The portal lost access to %(component)s (%(object)s)."),
        gettext_noop("Check that it is switched on, its network and its addresses."),
        gettext_noop("Access recovered"),
        gettext_noop("%(component)s answers again"),
        gettext_noop("The portal has access to %(component)s (%(object)s) again."),
        gettext_noop("Alerts suppressed"),
        gettext_noop("%(count)s alerts were suppressed"),
        gettext_noop(
            "Within a minute, %(count)s alerts more came than the portal takes. Most came from %(origin)s (%(most)s)."
        ),
        gettext_noop("Find out why the device sends so many alerts. The limits are the options of alert reception."),
        gettext_noop("Cold start"),
        gettext_noop("The device was started"),
        gettext_noop("The agent on the device was initialised and its configuration may have changed (coldStart)."),
        gettext_noop("Warm start"),
        gettext_noop("The management agent was restarted"),
        gettext_noop("The agent on the device was initialised again with its configuration unchanged (warmStart)."),
        gettext_noop("Link down"),
        gettext_noop("Link of %(object)s went down"),
        gettext_noop("The network port %(object)s lost its link (linkDown)."),
        gettext_noop("Check the cable, the port of the other side and whether somebody switched the port off."),
        gettext_noop("Link up"),
        gettext_noop("Link of %(object)s came up"),
        gettext_noop("The network port %(object)s has its link (linkUp)."),
        gettext_noop("Authentication failure"),
        gettext_noop("Somebody asked the device with a wrong community or user"),
        gettext_noop("The agent refused a request that was not properly authenticated (authenticationFailure)."),
        gettext_noop(
            "Check the credentials of every program that manages the device. If there is none, find out who asks."
        ),
        gettext_noop("EGP neighbour lost"),
        gettext_noop("The EGP neighbour %(neighbor)s was lost"),
        gettext_noop("The device has no peer relationship with this neighbour any more (egpNeighborLoss)."),
    }
)

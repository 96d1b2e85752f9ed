"""The portal's own entries of the side menu."""

from django.utils.translation import gettext_lazy as _

from apps.core.menu import MenuEntry, register

register(MenuEntry(label=_("Dashboard"), url_name="portal:dashboard", icon="layout-dashboard", order=10))
register(
    MenuEntry(
        label=_("Capacity"),
        url_name="portal:capacity",
        icon="database",
        section="manage",
        order=850,
        permission="settings",
    )
)
register(
    MenuEntry(
        label=_("Processes and ports"),
        url_name="portal:processes",
        icon="server-2",
        section="settings",
        order=30,
        permission="settings",
    )
)
register(MenuEntry(label=_("About"), url_name="portal:about", icon="info-circle", section="manage", order=900))

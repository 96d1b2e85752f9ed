"""What HTTPS registers with others: its options, menu entry, banner, words of the audit, names of the portal."""

from django.utils.translation import gettext_lazy as _

from apps.access.services import hosts
from apps.alerts.receivers import event_certificate
from apps.core import audit_words, banners, menu
from apps.core.options import Option, declare
from apps.system.tls import banner, contexts, events, naming
from apps.system.tls.words import (
    HSTS,
    HTTPS,
    MINIMUM,
    REDIRECT_PORT,
    REDIRECT_VARIABLE,
    RENEW_BEFORE,
    SECTION,
    VARIABLE,
)

declare(
    Option(
        HTTPS,
        bool,
        False,
        _("HTTPS"),
        _(
            "Both ports speak HTTPS, within five seconds; a certificate is made where there is none. Everybody signs "
            "in again afterwards. Should no browser get in any more, the command line sets this option, too."
        ),
        section=SECTION,
        environment=VARIABLE,
    ),
    Option(
        MINIMUM,
        str,
        contexts.DEFAULT_VERSION,
        _("Oldest version of TLS"),
        _(
            "1.0 and 1.1 are broken and only for programs that know nothing else; with them, weak ciphers are "
            "allowed, too."
        ),
        section=SECTION,
        choices=tuple(contexts.VERSIONS),
    ),
    Option(
        HSTS,
        int,
        0,
        _("HTTPS only, remembered by browsers"),
        _(
            "For how long a browser refuses plain HTTP and certificates that it does not trust, on every port of this "
            "host name (HSTS). It cannot be taken back before that. 0: not at all."
        ),
        section=SECTION,
        minimum=60,
        maximum=63072000,
        also=(0,),
        unit=_("seconds"),
    ),
    Option(
        REDIRECT_PORT,
        int,
        0,
        _("Port that leads to HTTPS"),
        _(
            "A port with plain HTTP that does nothing but lead browsers to the HTTPS port. For one below 1024, start "
            "as root with the variable ESM_REDIRECT_PORT. 0: none."
        ),
        section=SECTION,
        minimum=1,
        maximum=65535,
        also=(0,),
        environment=REDIRECT_VARIABLE,
    ),
    Option(
        RENEW_BEFORE,
        int,
        30,
        _("Renew the certificate before its end"),
        _(
            "A certificate of the portal's own authority is made anew so many days before it ends, at the latest after "
            "two thirds of its time. 0: not by itself."
        ),
        section=SECTION,
        minimum=1,
        maximum=365,
        also=(0,),
        unit=_("days"),
    ),
)
menu.register(
    menu.MenuEntry(
        label=_("HTTPS"), url_name="tls:page", icon="shield-lock", section="settings", order=20, permission="settings"
    )
)
banners.registry.add("certificate", banner.banner)
banners.registry.add("own-authority", banner.help_below_sign_in)
event_certificate.sources.add("portal", events.shown)
event_certificate.marks.add("portal", events.mark)
hosts.sources.add("certificate", naming.certificate_names)
for word, text in {
    "certificate.create": _("Certificate made"),
    "certificate.renew": _("Certificate renewed"),
    "certificate.events": _("Certificate for Redfish events made"),
    "certificate.import": _("Certificate imported"),
    "certificate.authority": _("Certificate authority made"),
    "certificate.request": _("Certificate request made"),
    "certificate.request-remove": _("Certificate request forgotten"),
}.items():
    audit_words.acts.add(word, text)
for word, text in {
    "fingerprint": _("Fingerprint"),
    "names": _("Names and addresses"),
    "issuer": _("Issuer"),
    "key": _("Key"),
    "not_after": _("Valid until"),
}.items():
    audit_words.fields.add(word, text)

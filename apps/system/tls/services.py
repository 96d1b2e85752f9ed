"""What is done with certificates: made, imported, renewed, asked for; every act is audited, no key is ever told."""

from datetime import datetime
from typing import Any

from cryptography import x509
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.alerts.services.raising import raise_alert
from apps.core import audit, options, secrets
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Conflict
from apps.core.models import Outcome
from apps.core.writes import turn
from apps.system import ports
from apps.system.models import Certificate, CertificateRequest, CertificateUse
from apps.system.tls import importing, issuing
from apps.system.tls.material import DEFAULT_KIND, Facts, Material, Wish, clean_name, colons, key_pem, load_key
from apps.system.tls.words import HTTPS

USUAL_DAYS = 397
SHORTEST, LONGEST = 1, 3650  # days
RENEWED = "portal.certificate-renewed"
PASSWORD_NEEDED = importing.REFUSALS["password-needed"]


def current() -> Certificate | None:
    """Give the certificate of HTTPS."""
    return Certificate.objects.filter(use=CertificateUse.PORTAL).first()


def authority() -> Certificate | None:
    """Give our own authority, where there is one yet."""
    return Certificate.objects.filter(use=CertificateUse.AUTHORITY).first()


def described() -> dict[str, Certificate | None]:
    """Give the certificate and our own authority without their keys, for those who only look."""
    rows = {row.use: row for row in Certificate.objects.defer("key")}
    return {"certificate": rows.get(CertificateUse.PORTAL), "authority": rows.get(CertificateUse.AUTHORITY)}


def facts_in_use() -> dict[str, Any] | None:
    """Give what everybody may know of the certificate, while HTTPS is on; it is what each connection shows."""
    if not options.get(HTTPS):
        return None
    facts = Certificate.objects.filter(use=CertificateUse.PORTAL).values("subject", "not_after", "fingerprint", "own")
    found = facts.first()
    return {**found, "fingerprint": colons(found["fingerprint"])} if found else None


def trusted_by_hand() -> Certificate | None:
    """Give the authority that browsers must be told to trust: ours, while it vouches for the certificate of HTTPS."""
    found = described()
    return found["authority"] if found["certificate"] is not None and found["certificate"].own else None


def pending() -> CertificateRequest | None:
    """Give the request that waits for its certificate."""
    return CertificateRequest.objects.defer("key").first()


def material_of(row: Certificate) -> Material:
    """Give key and certificates; raises secrets.Undecipherable."""
    return Material.load(row.key["pem"], row.chain)


def usual_names() -> list[str]:
    """Give the names and addresses that a certificate gets when nobody says which."""
    found = []
    for name in issuing.usual_names(ports.addresses(settings.BIND)):
        try:
            found.append(clean_name(name))
        except ValidationError:  # such as a host name with an underscore, which no certificate may have
            continue
    return list(dict.fromkeys(found))


def usual_wish() -> Wish:
    """Give what a certificate is like when nobody says anything."""
    names = usual_names()
    return Wish(names[0][:64], tuple(names), DEFAULT_KIND, USUAL_DAYS)


def check_days(days: int) -> None:
    """Raise ValidationError unless a certificate may be valid for so long."""
    if not SHORTEST <= days <= LONGEST:
        raise ValidationError(
            {"days": [_("Enter a number from %(low)s to %(high)s.") % {"low": SHORTEST, "high": LONGEST}]}
        )


def create(wish: Wish, actor: Actor, *, new_authority: bool = False, now: datetime | None = None) -> Certificate:
    """Make a certificate that our own authority signs; the authority is made with the first one, or anew if wished."""
    check_days(wish.days)
    now = now or timezone.now()
    signer = None if new_authority else _readable_authority()
    if signer is None:
        signer = _keep_authority(issuing.new_authority(wish.kind, now), actor, replace=new_authority)
    elif not signer.is_valid(now):
        raise Conflict(_("The portal's own authority has expired. Have a new one made with the certificate."))
    made = issuing.issue(material_of(signer), wish, now)
    return _keep(made, actor, "certificate.create", own=True, days=wish.days)


def _readable_authority() -> Certificate | None:
    try:
        return authority()
    except secrets.Undecipherable as error:
        raise Conflict(
            _("The key of the portal's own authority cannot be decrypted. Have a new one made with the certificate.")
        ) from error


def ensure() -> Certificate:
    """Give the certificate of HTTPS; make the usual one where there is none yet."""
    return current() or create(usual_wish(), SYSTEM)


def renew(actor: Actor, *, now: datetime | None = None) -> Certificate:
    """Make our own certificate anew: same names, same kind of key, a new key, as many days."""
    found = Certificate.objects.defer("key").filter(use=CertificateUse.PORTAL).first()
    if found is None:
        raise Conflict(_("There is no certificate yet."))
    if not found.own:
        raise Conflict(_("This certificate was imported; only its own authority can renew it."))
    names = tuple(found.names)
    wish = Wish(found.subject, names, found.key_kind, found.days)
    now = now or timezone.now()
    signer = _readable_authority()
    if signer is None or not signer.is_valid(now):
        signer = _keep_authority(issuing.new_authority(found.key_kind, now), actor, replace=True)
    made = issuing.issue(material_of(signer), wish, now)
    return _keep(made, actor, "certificate.renew", own=True, days=wish.days)


def take(data: bytes, password: str | None, actor: Actor) -> tuple[Certificate, list[str]]:
    """Import PKCS12 or PEM; gives the certificate and warnings. Raises ValidationError, and then nothing has changed.

    Without a private key it must be the answer to the request that waits.
    """
    try:
        key, certificates = importing.open_file(data, password or None)
        if key is None:
            waiting = pending()
            if waiting is None:
                raise ValidationError(_("The file holds no private key."))
            try:
                key = load_key(waiting.key["pem"])
            except secrets.Undecipherable as error:
                raise ValidationError(_("The key of the request cannot be decrypted. Make a new request.")) from error
        material = importing.assemble(key, certificates)
        warnings = importing.judge(material, timezone.now())
    except ValidationError as error:
        audit.record(actor, "certificate.import", after={"reason": error.messages}, outcome=Outcome.REFUSED)
        raise
    days = (material.certificate.not_valid_after_utc - material.certificate.not_valid_before_utc).days
    return _keep(material, actor, "certificate.import", own=False, days=days), warnings


def request(wish: Wish, actor: Actor) -> CertificateRequest:
    """Make a key and a request for another authority; the request that waited before is forgotten."""
    key, text = issuing.request(wish)
    with turn():
        CertificateRequest.objects.all().delete()
        made: CertificateRequest = CertificateRequest.objects.create(
            pem=text, key={"pem": key_pem(key)}, subject=wish.common_name
        )
        audit.record(actor, "certificate.request", made, after={"names": list(wish.names), "key": wish.kind})
    return made


def forget_request(actor: Actor) -> None:
    """Forget the request that waits, with its key."""
    with turn():
        for one in CertificateRequest.objects.defer("key"):
            audit.record(actor, "certificate.request-remove", one)
            one.delete()


def _keep_authority(made: Material, actor: Actor, *, replace: bool) -> Certificate:
    """Store a new authority; where somebody else made one meanwhile, his is used."""
    with turn():
        before = _before(CertificateUse.AUTHORITY)
        if before is not None and not replace:
            return Certificate.objects.get(pk=before.pk)
        row = _store(CertificateUse.AUTHORITY, made, own=True, days=issuing.AUTHORITY_DAYS)
        audit.record(actor, "certificate.authority", row, before=_told(before), after=_told(row))
    return row


def _keep(made: Material, actor: Actor, act: str, *, own: bool, days: int) -> Certificate:
    with turn():
        before = _before(CertificateUse.PORTAL)
        row = _store(CertificateUse.PORTAL, made, own=own, days=days)
        if before is None or before.fingerprint != row.fingerprint:
            _forget_answered(made)
        audit.record(actor, act, row, before=_told(before), after=_told(row))
        if before is not None and before.warned_days is not None:
            params = {"name": row.subject, "date": f"{row.not_after:%Y-%m-%d}"}
            raise_alert(RENEWED, component=None, object="HTTPS", params=params)
    return row


def make_for_events(now: datetime) -> Certificate:
    """Make the certificate that devices see when they post events, where HTTPS has none."""
    made = issuing.self_signed(usual_wish(), now)
    with turn():
        before = _before(CertificateUse.EVENTS)
        row = _store(CertificateUse.EVENTS, made, own=True, days=USUAL_DAYS)
        audit.record(SYSTEM, "certificate.events", row, before=_told(before), after=_told(row))
    return row


def _before(use: CertificateUse) -> Certificate | None:
    """Give what is to be replaced, without its key: that may belong to a key file that is gone."""
    return Certificate.objects.select_for_update().defer("key").filter(use=use).first()


def _store(use: CertificateUse, made: Material, *, own: bool, days: int) -> Certificate:
    facts = _facts(made, own=own, days=days)
    if not Certificate.objects.filter(use=use).update(**facts):
        Certificate.objects.create(use=use, **facts)
    return Certificate.objects.get(use=use)


def _forget_answered(made: Material) -> None:
    """Forget the request that this certificate answers."""
    public = made.certificate.public_key()
    for waiting in CertificateRequest.objects.defer("key"):
        if x509.load_pem_x509_csr(waiting.pem.encode()).public_key() == public:
            waiting.delete()


def _facts(made: Material, *, own: bool, days: int) -> dict[str, object]:
    facts = Facts.of(made.certificate)
    return {
        "own": own,
        "chain": made.chain_pem,
        "key": {"pem": made.key_pem},
        "subject": facts.subject,
        "issuer": facts.issuer,
        "serial": facts.serial,
        "fingerprint": facts.fingerprint,
        "names": facts.names,
        "key_kind": facts.key_kind,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "days": days,
        "made_at": timezone.now(),
        "warned_days": None,
    }


def _told(row: Certificate | None) -> dict[str, object]:
    if row is None:
        return {}
    return {
        "fingerprint": row.fingerprint,
        "names": row.names,
        "issuer": row.issuer,
        "key": row.key_kind,
        "not_after": row.not_after.isoformat(),
    }

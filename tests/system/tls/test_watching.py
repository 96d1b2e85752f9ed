"""The end of a certificate: renewed in time, or warned of once at each step, and taken back when it is new."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.alerts.models import Alert, Incident
from apps.core import options
from apps.core.actors import COMMAND
from apps.core.errors import Conflict
from apps.system.models import Certificate, CertificateUse
from apps.system.tls import services, state, watching
from apps.system.tls.material import Wish
from apps.system.tls.state import Certified, InForce
from tests.factories import make_user, ship_definitions

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def _https() -> None:
    ship_definitions()
    options.set_value("https", True, COMMAND)


@pytest.fixture
def imported() -> Certificate:
    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 90), COMMAND, now=NOW)
    Certificate.objects.filter(pk=made.pk).update(own=False, issuer="Company issuing")
    return services.current()


def raised() -> list[tuple[str, str]]:
    return list(Alert.objects.order_by("pk").values_list("definition__key", "severity"))


def test_an_imported_certificate_is_warned_of_once_at_each_step(imported: Certificate) -> None:
    end = imported.not_after
    for before, steps in [(31, 0), (29.9, 1), (29, 1), (13.9, 2), (6.9, 3), (6, 3), (0.9, 4), (-0.1, 5), (-3, 5)]:
        for _again in range(2):
            watching.watch(end - timedelta(days=before))
            assert len(raised()) == steps, before
    assert raised() == [("portal.certificate-ending", "warning")] * 4 + [("portal.certificate-ended", "critical")]
    first = Alert.objects.order_by("pk").first()
    assert str(first.title) == "The portal's certificate ends in 29 days"


def test_a_new_certificate_ends_the_warnings(imported: Certificate) -> None:
    watching.watch(imported.not_after - timedelta(days=10))
    watching.watch(imported.not_after + timedelta(days=1))
    assert Incident.objects.open().count() == 2
    services.create(services.usual_wish(), COMMAND, now=NOW)
    assert raised()[-1] == ("portal.certificate-renewed", "normal")
    assert not Incident.objects.open().exists()


def test_the_own_certificate_is_renewed_before_anybody_is_warned() -> None:
    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 397), COMMAND, now=NOW)
    watching.watch(made.not_after - timedelta(days=31))
    assert services.current().fingerprint == made.fingerprint
    watching.watch(made.not_after - timedelta(days=30))
    renewed = services.current()
    assert (renewed.names, renewed.not_after) == (made.names, made.not_after + timedelta(days=367))
    assert raised() == []


def test_one_for_a_few_days_is_renewed_after_two_thirds_of_them() -> None:
    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 6), COMMAND, now=NOW)
    watching.watch(NOW + timedelta(days=3.9))
    assert services.current().fingerprint == made.fingerprint
    watching.watch(NOW + timedelta(days=4))
    assert services.current().fingerprint != made.fingerprint
    assert raised() == []


def test_an_own_certificate_that_is_not_renewed_is_warned_of_like_any_other() -> None:
    options.set_value("certificate_renew_days", 0, COMMAND)
    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 397), COMMAND, now=NOW)
    watching.watch(made.not_after - timedelta(days=20))
    assert services.current().fingerprint == made.fingerprint
    assert raised() == [("portal.certificate-ending", "warning")]


def test_a_renewal_that_fails_is_warned_of(monkeypatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise Conflict("no")

    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 397), COMMAND, now=NOW)
    monkeypatch.setattr(services, "renew", fail)
    watching.watch(made.not_after - timedelta(days=20))
    assert raised() == []
    watching.watch(made.not_after - timedelta(days=6.9))
    assert raised() == [("portal.certificate-ending", "warning")]


def test_an_expired_authority_is_made_anew_with_the_certificate() -> None:
    made = services.create(Wish.of("portal.example.net", [], "ec-p256", 397), COMMAND, now=NOW)
    authority = services.authority().fingerprint
    watching.watch(NOW + timedelta(days=3700))
    assert services.authority().fingerprint != authority
    assert services.current().not_after == NOW + timedelta(days=3700 + made.days)


def test_nothing_is_watched_while_https_is_off(imported: Certificate) -> None:
    options.set_value("https", False, COMMAND)
    watching.watch(imported.not_after + timedelta(days=1))
    assert raised() == []


@pytest.fixture
def _served():
    yield
    state.put(InForce())


@pytest.mark.usefixtures("_served")
def test_administrators_alone_see_the_line_above_their_pages(client: Client) -> None:
    now = timezone.now()
    ending = Certified("ab" * 32, now - timedelta(days=80), now + timedelta(days=5.5), own=False, renews=False)
    state.put(InForce(certificate=ending))
    client.force_login(make_user("administrator"))
    assert "certificate ends in 5 days" in client.get("/about/").content.decode()
    state.put(InForce(certificate=Certified("ab" * 32, now - timedelta(days=80), now, own=False, renews=False)))
    assert "certificate has ended" in client.get("/about/").content.decode()
    client.force_login(make_user("viewer"))
    assert "certificate has ended" not in client.get("/about/").content.decode()
    client.logout()
    assert "certificate has ended" not in client.get("/login/").content.decode()


@pytest.mark.usefixtures("_served")
def test_the_sign_in_page_leads_to_the_own_authority_and_to_no_other(client: Client) -> None:
    services.create(services.usual_wish(), COMMAND)
    row = services.current()
    for own in (True, False):
        certified = Certified(row.fingerprint, row.not_before, row.not_after, own=own, renews=own)
        state.put(InForce(https=True, certificate=certified))
        assert ("/https/trust/" in client.get("/login/").content.decode()) is own
    assert row.use == CertificateUse.PORTAL

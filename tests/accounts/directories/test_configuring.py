"""What an administrator enters for a directory is checked, kept, audited without its password, and ordered."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.accounts.models import Directory, User
from apps.accounts.services.directories import certificates, configuring, mapping, syntax
from apps.core import options
from apps.core.actors import COMMAND, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.certificates import make_authority

pytestmark = pytest.mark.django_db
LDAP = {
    "name": "Example",
    "servers": ["ldap1.example.test", "LDAPS://ldap2.example.test:636/", "[2001:db8::1]:1636"],
    "bind_dn": "cn=search,dc=example,dc=test",
    "bind_password": "search-Passw0rd",
    "search_base": "dc=example,dc=test",
}


def faults(fields: dict, directory: Directory | None = None) -> dict[str, list[str]]:
    """What is wrong with these fields."""
    with pytest.raises(ValidationError) as caught:
        configuring.draft(fields, directory)
    return caught.value.message_dict


def test_a_directory_is_kept_with_what_is_usual_and_its_password_encrypted():
    made = Directory.objects.get(pk=configuring.create(LDAP, COMMAND).pk)
    assert made.servers == ["ldap1.example.test", "ldap2.example.test", "[2001:db8::1]:1636"]
    assert made.user_filter == "(&(objectClass=inetOrgPerson)(uid=%(user)s))"
    assert made.group_filter == "(objectClass=groupOfNames)"
    assert (made.username_attribute, made.mail_attribute) == ("uid", "mail")
    assert made.verify_tls
    assert made.bind_password == "search-Passw0rd"
    with connection.cursor() as cursor:
        cursor.execute("SELECT bind_password FROM accounts_directory")
        assert "search-Passw0rd" not in cursor.fetchone()[0]
    entry = AuditEntry.objects.get(action="directory.create")
    assert entry.after["bind_password"] == "(changed)"
    assert "search-Passw0rd" not in str(entry.after)


def test_an_active_directory_has_other_usual_values_and_names_of_accounts():
    fields = LDAP | {"kind": "active-directory", "bind_dn": "search@example.test"}
    made = configuring.create(fields, COMMAND)
    assert "sAMAccountName" in made.user_filter
    assert made.group_kind == "active-directory"
    assert faults(fields | {"group_kind": "posix-group", "name": "Other"}).keys() == {"group_kind"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"servers": []}, "servers"),
        ({"servers": ["ldap one"]}, "servers"),
        ({"servers": ["ldap.example.test:99999"]}, "servers"),
        ({"servers": ["ldap.example.test:"]}, "servers"),
        ({"servers": ["ldap://ldap.example.test"]}, "servers"),
        ({"servers": ["999.1.2.3"]}, "servers"),
        ({"servers": ["x" * 300]}, "servers"),
        ({"servers": [f"h{number}.example.test" for number in range(17)]}, "servers"),
        ({"encryption": "none"}, "encryption"),
        ({"encryption": "ssl"}, "encryption"),
        ({"kind": "nis"}, "kind"),
        ({"search_base": "nowhere"}, "search_base"),
        ({"search_base": ""}, "search_base"),
        ({"bind_dn": "search"}, "bind_dn"),
        ({"bind_password": ""}, "bind_password"),
        ({"user_filter": "(uid=alice)"}, "user_filter"),
        ({"user_filter": "(uid=%(user)s"}, "user_filter"),
        ({"user_filter": "(&(uid=%(user)s)(cn=%s))"}, "user_filter"),
        ({"group_filter": "(objectClass="}, "group_filter"),
        ({"group_filter": "(cn=%(user)s)"}, "group_filter"),
        ({"username_attribute": "uid)(x=*"}, "username_attribute"),
        ({"mail_attribute": "e mail"}, "mail_attribute"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"answer_timeout": 61}, "answer_timeout"),
        ({"name": ""}, "name"),
        ({"ca_certificate": "no certificate"}, "ca_certificate"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(wrong, field):
    assert field in faults(LDAP | wrong)
    assert not Directory.objects.exists()


def test_the_faults_of_all_fields_are_told_at_once():
    wrong = {"servers": [], "search_base": "x", "user_filter": "(", "name": ""}
    assert set(faults(LDAP | wrong)) == {"servers", "search_base", "user_filter", "name"}


def test_a_password_that_nobody_may_read_goes_nowhere_else():
    made = configuring.create(LDAP, COMMAND)
    sentence = "Enter the password again: with these changes it would go elsewhere, or less safely, than before."
    again = {"bind_password": [sentence]}
    assert faults({"servers": ["evil.example.test"]}, made) == again
    assert faults({"verify_tls": False}, made) == again
    options.set_value("ldap_allow_unencrypted", True, COMMAND)
    assert "bind_password" in faults({"encryption": "none", "servers": ["ldap1.example.test"]}, made)
    assert configuring.draft({"servers": ["ldap1.example.test"]}, made).bind_password == "search-Passw0rd"
    moved = configuring.change(made, {"servers": ["new.example.test"], "bind_password": "other-Passw0rd"}, COMMAND)
    assert moved.servers == ["new.example.test"]
    entry = AuditEntry.objects.get(action="directory.change")
    assert entry.before["servers"][0] == "ldap1.example.test"
    assert entry.after == {"servers": ["new.example.test"], "bind_password": "(changed)"}


def test_directories_are_asked_in_the_order_that_somebody_gives_them():
    _first, _second, third = (configuring.create(LDAP | {"name": name}, COMMAND) for name in ("a", "b", "c"))
    configuring.place(third, 1, COMMAND)
    assert [row.name for row in Directory.objects.all()] == ["c", "a", "b"]
    configuring.place(third, 99, COMMAND)
    assert [row.name for row in Directory.objects.all()] == ["a", "b", "c"]
    assert [entry.after for entry in AuditEntry.objects.filter(action="directory.place")][::-1] == [
        {"position": 1},
        {"position": 3},
    ]


def test_a_directory_goes_with_its_accounts_and_groups():
    made = configuring.create(LDAP, COMMAND)
    mapping.add(made, "cn=ops,dc=example,dc=test", COMMAND)
    user = User.objects.create(username="carol", directory=made, entry_id="1")
    actor = Actor(ActorKind.USER, "carol", user)
    with pytest.raises(ValidationError, match="You signed in by this directory"):
        configuring.remove(made, actor)
    with pytest.raises(ValidationError, match="switch it off"):
        configuring.change(made, {"enabled": False}, actor)
    configuring.remove(made, COMMAND)
    assert not Directory.objects.exists()
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(action="user.remove", object_name="carol").exists()


class TestCertificates:
    """The certificate of an authority, as a text or a file."""

    def test_pem_der_and_several(self):
        one, two = make_authority("One CA"), make_authority("Two CA")
        assert certificates.read_upload(one.pem.encode()) == one.pem
        assert certificates.read_upload(one.der) == one.pem
        both = certificates.read_upload((one.pem + two.pem).encode())
        assert [found.subject for found in certificates.authorities(both)] == ["One CA", "Two CA"]

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "no certificate"),
            (b"\x30\x82", "no certificate"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
            (b"-----BEGIN PRIVATE KEY-----\n", "private key"),
            (b"x" * 300_000, "too large"),
        ],
    )
    def test_what_is_none_is_refused(self, data, sentence):
        with pytest.raises(ValidationError, match=sentence):
            certificates.read_upload(data)

    def test_a_servers_own_certificate_is_no_authority(self):
        with pytest.raises(ValidationError, match="not that of an authority"):
            certificates.read_upload(make_authority("ldap.example.test", ca=False).der)

    def test_an_ended_one_is_refused_and_one_that_ends_soon_is_warned_of(self):
        with pytest.raises(ValidationError, match="has ended on"):
            certificates.read_upload(make_authority("Old CA", ends=-timedelta(days=1)).der)
        soon = make_authority("Soon CA", ends=timedelta(days=20))
        (found,) = certificates.authorities(certificates.read_upload(soon.der))
        assert (found.state, found.ends_soon, found.has_ended) == ("warning", True, False)
        made = Directory(ca_certificate=soon.pem + make_authority("Good CA").pem)
        assert made.worst_authority == found
        assert certificates.authorities(make_authority().pem)[0].state == "normal"

    def test_one_that_ended_meanwhile_keeps_nobody_from_changing_the_rest(self):
        made = configuring.create(LDAP | {"ca_certificate": make_authority().pem}, COMMAND)
        ended = make_authority("Old CA", ends=-timedelta(days=1)).pem
        Directory.objects.filter(pk=made.pk).update(ca_certificate=ended)
        made.refresh_from_db()
        assert configuring.change(made, {"name": "Other", "ca_certificate": ended}, COMMAND).name == "Other"
        assert made.worst_authority.state == "critical"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CN=Ops,DC=Example,DC=Test", "cn=ops,dc=example,dc=test", True),
        ("cn=ops, dc=example", "CN=OPS,dc=example", True),
        ("cn=a\\,b,dc=x", 'cn="a,b",dc=x', True),
        ("cn=運用,dc=x", "CN=運用,DC=x", True),
        ("cn=ops,dc=example", "cn=ops,dc=other", False),
    ],
)
def test_two_writings_of_one_distinguished_name_are_one(one, other, same):
    assert (syntax.key_of(one) == syntax.key_of(other)) is same


def test_a_group_is_known_once():
    made = configuring.create(LDAP, COMMAND)
    row = mapping.add(made, "CN=Ops,dc=example,dc=test", COMMAND)
    assert (row.name, row.dn) == ("Ops", "CN=Ops,dc=example,dc=test")
    with pytest.raises(ValidationError, match="here already"):
        mapping.add(made, "cn=ops,DC=example,DC=test", COMMAND)
    with pytest.raises(ValidationError, match="no distinguished name"):
        mapping.add(made, "Ops", COMMAND)

"""What an entry says of a person, as the kinds of servers write it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.accounts.models import Directory
from apps.accounts.services.directories import active_directory, entries, faults

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def ticks(when: datetime) -> str:
    """A time as Windows writes it, in units of 100 ns since 1601."""
    return str(int((when - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10**7)


YESTERDAY, TOMORROW = ticks(NOW - DAY), ticks(NOW + DAY)


@pytest.mark.parametrize(
    ("attrs", "state"),
    [
        ({}, "enabled"),
        ({"userAccountControl": ["512"], "accountExpires": ["0"], "pwdLastSet": ["1"]}, "enabled"),
        ({"userAccountControl": ["514"]}, "disabled"),
        ({"userAccountControl": ["66050"], "pwdLastSet": ["0"]}, "disabled"),
        ({"userAccountControl": ["512"], "accountExpires": ["9223372036854775807"]}, "enabled"),
        ({"userAccountControl": ["512"], "accountExpires": [YESTERDAY]}, "expired"),
        ({"userAccountControl": ["512"], "accountExpires": [TOMORROW]}, "enabled"),
        ({"userAccountControl": ["512"], "lockoutTime": [YESTERDAY]}, "locked"),
        # the computed value knows that the lock has ended
        ({"lockoutTime": [YESTERDAY], "msDS-User-Account-Control-Computed": ["0"]}, "enabled"),
        ({"msDS-User-Account-Control-Computed": ["16"]}, "locked"),
        ({"msDS-User-Account-Control-Computed": ["8388608"]}, "password-expired"),
        ({"userAccountControl": ["512"], "pwdLastSet": ["0"]}, "must-change"),
        ({"userAccountControl": ["66048"], "pwdLastSet": ["0"]}, "enabled"),
        ({"pwdAccountLockedTime": ["000001010000Z"]}, "disabled"),
        ({"pwdAccountLockedTime": ["20261126080000Z"]}, "locked"),
        ({"pwdReset": ["TRUE"]}, "must-change"),
        ({"pwdEndTime": ["20261125080000Z"]}, "expired"),
        ({"pwdEndTime": ["20271125080000Z"]}, "enabled"),
        ({"nsAccountLock": ["true"]}, "disabled"),
        ({"loginDisabled": ["TRUE"]}, "disabled"),
        ({"shadowExpire": ["-1"]}, "enabled"),
        ({"shadowExpire": ["20782"]}, "expired"),
        ({"shadowExpire": ["99999"]}, "enabled"),
        ({"shadowExpire": ["no number"], "accountExpires": ["x"], "pwdEndTime": ["never"]}, "enabled"),
        ({"accountExpires": ["9223372036854775806"], "shadowExpire": ["999999999999"]}, "enabled"),
    ],
)
def test_whether_an_account_is_in_use(attrs, state):
    assert entries.state_of(attrs, NOW).value == state


def test_what_stays_when_a_person_is_renamed():
    guid = UUID("bdf63c5d-174a-4cf9-9be2-0b25d51e33e8")
    directory = Directory(kind="active-directory", username_attribute="sAMAccountName")
    found = entries.read(directory, "cn=a,dc=x", {"objectGUID": [guid.bytes_le], "sAMAccountName": [" alice "]})
    assert (found.identity, found.username) == (str(guid), "alice")
    assert entries.identity_filter(directory, found.identity) == (
        r"(objectGUID=\5d\3c\f6\bd\4a\17\f9\4c\9b\e2\0b\25\d5\1e\33\e8)"
    )
    # bytes that happen to be a text are a text in the library's eyes
    plain = entries.read(directory, "cn=a,dc=x", {"objectGUID": ["abcdefghijklmnop"]})
    assert plain.identity == str(UUID(bytes_le=b"abcdefghijklmnop"))
    ldap = Directory(kind="ldap", username_attribute="uid")
    assert entries.read(ldap, "uid=a,dc=x", {"entryUUID": ["1-2"]}).identity == "1-2"
    assert entries.identity_filter(ldap, "1*2") == r"(|(entryUUID=1\2a2)(nsUniqueId=1\2a2)(ipaUniqueID=1\2a2))"
    assert entries.read(ldap, "uid=a,dc=x", {}).identity == "uid=a,dc=x"
    assert entries.identity_filter(ldap, "uid=a,dc=x") == ""


def test_the_primary_group_of_a_user_has_his_domain_and_its_own_number():
    domain = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c8770")
    user = domain + (1105).to_bytes(4, "little")
    assert active_directory.primary_group_sid(user, 513) == domain + (513).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        *(("52e", "wrong-password"), ("532", "password-expired"), ("533", "disabled"), ("701", "expired")),
        *(("773", "must-change"), ("775", "locked"), ("531", "not-now"), ("fff", "wrong-password")),
    ],
)
def test_why_an_active_directory_refuses_a_password(code, why):
    info = f"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1\x00"
    import ldap

    error = ldap.INVALID_CREDENTIALS({"desc": "Invalid credentials", "info": info})
    assert faults.refusal_of(error).value == why
    assert faults.words_of(error) == f"Invalid credentials: {info[:-1]}"

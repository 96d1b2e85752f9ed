"""One connection to one server of a directory, asked about people one after another; every step is written down."""

import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace, TracebackType
from typing import Any, NoReturn, Self

import ldap
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django_auth_ldap.config import LDAPSearch
from ldap.ldapobject import LDAPObject

from apps.accounts.models import Directory, Encryption
from apps.accounts.services.directories import certificates, entries, faults, handshakes, syntax
from apps.accounts.services.directories.entries import AccountState, Entry
from apps.accounts.services.directories.faults import Fault, Refusal, Refused
from apps.accounts.services.directories.handshakes import Handshake
from apps.accounts.services.directories.settings import NAME_OF_GROUP, settings_of
from apps.core import options
from apps.core.phrases import Phrase

NO_CONNECTION = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.UNAVAILABLE, ldap.BUSY)
HINDRANCES = {
    AccountState.DISABLED: Refusal.DISABLED,
    AccountState.EXPIRED: Refusal.EXPIRED,
    AccountState.MUST_CHANGE: Refusal.MUST_CHANGE,
    AccountState.PASSWORD_EXPIRED: Refusal.PASSWORD_EXPIRED,
}
STATE_WORDS = {
    AccountState.ENABLED: gettext_noop("The account is enabled."),
    AccountState.LOCKED: gettext_noop("The account is locked after wrong passwords; the server decides for how long."),
}


class Stage(models.TextChoices):
    """How far somebody came."""

    CONNECT = "connect", _("Connect")
    TLS = "tls", "TLS"
    BIND = "bind", _("Bind")
    SEARCH = "search", _("Look for the user")
    ACCOUNT = "account", _("Account")
    PASSWORD = "password", _("Password")
    GROUPS = "groups", _("Groups")
    MAPPING = "mapping", _("Role mapping")


@dataclass(slots=True)
class Step:
    """One step with its answer: ``state`` is done, warning or failed, ``words`` are the server's own."""

    stage: Stage
    server: str
    state: str = "done"
    milliseconds: int = 0
    text: Phrase = field(default_factory=Phrase)
    words: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group of the directory."""

    dn: str
    name: str


class Conversation:
    """An open connection, bound as the account that searches; raises Fault where the server is of no use."""

    def __init__(self, directory: Directory, server: str, steps: list[Step] | None = None) -> None:
        self.directory = directory
        self.server = server
        self.steps: list[Step] = [] if steps is None else steps
        self._settings = settings_of(directory, server)
        self._host, self._port = syntax.split_server(server, directory.default_port)
        self._connection: LDAPObject | None = None

    def open(self) -> Self:
        """Connect, encrypt, and sign in as the account that searches; raises Fault."""
        try:
            self._connect()
            self._encrypt()
            self._bind()
        except BaseException:
            self.close()
            raise
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(ldap.LDAPError):
                connection.unbind_ext_s()

    @property
    def connection(self) -> LDAPObject:
        """Give the connection that is bound as the account that searches."""
        if self._connection is None:
            raise Fault(Phrase(faults.UNREACHABLE, {"server": self.server}))
        return self._connection

    # --- what it is asked ----------------------------------------------------------------------------------------

    def find(self, name: str) -> Entry:
        """Give the one entry of a name that somebody typed; raises Refused."""
        with self.step(Stage.SEARCH) as step:
            search = self._settings.USER_SEARCH
            step.words = search.filterstr % {"user": ldap.filter.escape_filter_chars(name)}
            rows = list(search.execute(self.connection, {"user": name}))
            if not rows:
                raise Refused(Refusal.UNKNOWN, step.words)
            if len(rows) > 1:
                raise Refused(Refusal.AMBIGUOUS, step.words)
            step.text = Phrase(gettext_noop("Found %(dn)s"), {"dn": rows[0][0]})
        return entries.read(self.directory, *rows[0])

    def find_again(self, identity: str) -> Entry | None:
        """Give the entry that was seen before, under whatever name; None when it is gone."""
        criterion = entries.identity_filter(self.directory, identity)
        if not criterion:
            return None
        search: LDAPSearch = self._settings.USER_SEARCH
        same = LDAPSearch(search.base_dn, search.scope, criterion, search.attrlist)
        with self.step(Stage.SEARCH):
            rows = list(same.execute(self.connection))
        return entries.read(self.directory, *rows[0]) if len(rows) == 1 else None

    def see_base(self) -> None:
        """Make sure that people can be seen at all before anybody is taken for removed; raises Fault."""
        base = self.directory.search_base
        with self.step(Stage.SEARCH):
            rows = self.connection.search_s(base, ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
            if not rows:
                raise Fault(Phrase(faults.NO_BASE, {"base": base}), elsewhere=False)

    def look_at_account(self, entry: Entry) -> None:
        """Refuse whom the directory bars; a lock after wrong passwords is left to the server. Raises Refused."""
        with self.step(Stage.ACCOUNT) as step:
            if entry.state in HINDRANCES:
                raise Refused(HINDRANCES[entry.state])
            step.text = Phrase(STATE_WORDS[entry.state])
            step.state = "warning" if entry.state is AccountState.LOCKED else "done"

    def check_password(self, entry: Entry, password: str) -> None:
        """Sign in as the person, then as the account that searches again; raises Refused."""
        with self.step(Stage.PASSWORD) as step:
            if not password or "\x00" in password:
                raise Refused(Refusal.NO_PASSWORD)
            try:
                self.connection.simple_bind_s(entry.dn, password)
            except (ldap.INVALID_CREDENTIALS, ldap.UNWILLING_TO_PERFORM, ldap.CONSTRAINT_VIOLATION) as error:
                raise Refused(faults.refusal_of(error), faults.words_of(error)) from error
            step.text = Phrase(gettext_noop("The directory accepts the password."))
            self._bind_as_searcher()

    def refuse_password(self) -> NoReturn:
        """Take the time of a wrong password and call it one, unread; raises Refused."""
        with self.step(Stage.PASSWORD):
            self.feign_password()
            raise Refused(Refusal.WRONG_PASSWORD)

    def feign_password(self) -> None:
        """Take the time of a wrong password where there is none to check, so that nobody hears whom there is."""
        with suppress(ldap.LDAPError):
            self.connection.simple_bind_s(f"cn=nobody,{self.directory.search_base}", "nobody's password")

    def groups_of(self, entry: Entry) -> list[FoundGroup]:
        """Give the groups of a person."""
        with self.step(Stage.GROUPS) as step:
            person = SimpleNamespace(dn=entry.dn, attrs=entry.attrs, connection=self.connection)
            rows = self._settings.GROUP_TYPE.user_groups(person, self._settings.GROUP_SEARCH)
            found = [_group(dn, attrs) for dn, attrs in rows]
            found.sort(key=lambda group: group.name.casefold())
            step.text = Phrase(gettext_noop("%(count)s groups"), {"count": str(len(found))})
            step.words = " · ".join(group.name for group in found[:50])
        return found

    def groups_named(self, name: str) -> list[FoundGroup]:
        """Give the groups of a common name."""
        return self._groups(self._settings.GROUP_SEARCH.search_with_additional_terms({NAME_OF_GROUP: name}))

    def group_at(self, dn: str) -> FoundGroup | None:
        """Give the group of a distinguished name; None when there is none."""
        try:
            found = self._groups(LDAPSearch(dn, ldap.SCOPE_BASE, self.directory.group_filter, [NAME_OF_GROUP]))
        except Fault as fault:
            if isinstance(fault.__cause__, ldap.NO_SUCH_OBJECT):
                return None
            raise
        return found[0] if found else None

    def _groups(self, search: LDAPSearch) -> list[FoundGroup]:
        with self.step(Stage.GROUPS):
            return [_group(dn, attrs) for dn, attrs in search.execute(self.connection)]

    # --- how it is opened ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        with self.step(Stage.CONNECT) as step:
            unencrypted = self.directory.encryption == Encryption.NONE
            if unencrypted and not options.get("ldap_allow_unencrypted"):
                raise Fault(Phrase(faults.CLEAR_TEXT), elsewhere=False)
            try:
                with socket.create_connection((self._host, self._port), self.directory.connect_timeout) as probe:
                    step.text = Phrase(
                        gettext_noop("%(uri)s → %(address)s"),
                        {"uri": self._settings.SERVER_URI, "address": probe.getpeername()[0]},
                    )
            except OSError as error:
                raise Fault(Phrase(faults.UNREACHABLE, {"server": self.server}), _said(error)) from error

    def _encrypt(self) -> None:
        with self.step(Stage.TLS) as step:
            connection = ldap.initialize(self._settings.SERVER_URI)
            for option, value in self._settings.CONNECTION_OPTIONS.items():
                connection.set_option(option, value)
            self._connection = connection
            if self.directory.encryption == Encryption.NONE:
                step.state, step.text = (
                    "warning",
                    Phrase(gettext_noop("Not encrypted: passwords travel in clear text.")),
                )
                return
            seen = self._shake_hands()
            self._trust(connection)
            try:
                if self._settings.START_TLS:
                    connection.start_tls_s()
                else:
                    self._say_something(connection)
            except ldap.LDAPError as error:
                raise self._untrusted(error, seen) from error
            shown = {"version": seen.version, "certificate": _told(seen)}
            if self.directory.verify_tls:
                step.text = Phrase(gettext_noop("%(version)s, certificate %(certificate)s"), shown)
            else:
                step.state = "warning"
                step.text = Phrase(gettext_noop("%(version)s, certificate not checked: %(certificate)s"), shown)

    def _shake_hands(self) -> Handshake:
        """See the certificate before the library does, and make sure that the server is not silent."""
        try:
            return handshakes.look(
                self._host,
                self._port,
                start_tls=self._settings.START_TLS,
                ca=self.directory.ca_certificate,
                verify=self.directory.verify_tls,
                timeout=self.directory.connect_timeout,
            )
        except OSError as error:
            raise Fault(Phrase(faults.NOT_ENCRYPTED, {"server": self.server}), _said(error)) from error

    def _trust(self, connection: LDAPObject) -> None:
        """Have the certificate checked against the authorities of this directory alone, else those of the system."""
        if self.directory.ca_certificate:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.directory.ca_certificate)
                file.flush()
                connection.set_option(ldap.OPT_X_TLS_CACERTFILE, file.name)
                connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # reads the file now
            return
        if bundle := certificates.system_bundle():
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, bundle)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)

    def _say_something(self, connection: LDAPObject) -> None:
        """Have the library shake hands, which it does only when there is something to say."""
        try:
            connection.search_s("", ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
        except NO_CONNECTION:
            raise
        except ldap.LDAPError:
            pass  # answered, so encrypted; who may not ask this is asked who he is next

    def _untrusted(self, error: ldap.LDAPError, seen: Handshake) -> Fault:
        """Say why there is no encrypted connection, better than the library does."""
        said = f"{seen.complaint}: {_told(seen)}" if seen.complaint else faults.words_of(error)
        return Fault(Phrase(faults.NOT_ENCRYPTED, {"server": self.server}), said)

    def _bind(self) -> None:
        with self.step(Stage.BIND) as step:
            self._bind_as_searcher()
            who = self._settings.BIND_DN
            step.text = (
                Phrase(gettext_noop("As %(dn)s"), {"dn": who}) if who else Phrase(gettext_noop("Without a name"))
            )

    def _bind_as_searcher(self) -> None:
        try:
            self.connection.simple_bind_s(self._settings.BIND_DN, self._settings.BIND_PASSWORD)
        except NO_CONNECTION:
            raise
        except ldap.LDAPError as error:
            raise Fault(Phrase(faults.BIND_REFUSED), faults.words_of(error), elsewhere=False) from error

    @contextmanager
    def step(self, stage: Stage) -> Iterator[Step]:
        """Time a step and keep how it ended; what the library raises becomes a Fault."""
        step = Step(stage, self.server)
        began = time.monotonic()
        try:
            yield step
        except Fault as fault:
            step.state, step.text, step.words = "failed", fault.text, fault.words
            raise
        except Refused as refused:
            step.state, step.text, step.words = "failed", Phrase(str(refused.why.label)), refused.words
            raise
        except ldap.LDAPError as error:
            found = self._fault(error)
            step.state, step.text, step.words = "failed", found.text, found.words
            raise found from error
        finally:
            step.milliseconds = round(1000 * (time.monotonic() - began))
            self.steps.append(step)

    def _fault(self, error: ldap.LDAPError) -> Fault:
        words = faults.words_of(error)
        if isinstance(error, NO_CONNECTION):
            return Fault(Phrase(faults.UNREACHABLE, {"server": self.server}), words)
        if isinstance(error, ldap.NO_SUCH_OBJECT):
            return Fault(Phrase(faults.NO_BASE, {"base": self.directory.search_base}), words, elsewhere=False)
        return Fault(Phrase(faults.NOT_DONE), words, elsewhere=False)


def _group(dn: str, attrs: Any) -> FoundGroup:
    names: Sequence[Any] = attrs.get(NAME_OF_GROUP) or ()
    return FoundGroup(dn, str(names[0]) if names else syntax.first_value(dn))


def _told(seen: Handshake) -> str:
    """Write what a certificate says: its names, who issued it and until when."""
    if seen.certificate is None:
        return "–"
    names = ", ".join(seen.names) or seen.certificate.subject
    return f"{names} ← {seen.certificate.issuer}, {seen.certificate.ends_at.date().isoformat()}"


def _said(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__

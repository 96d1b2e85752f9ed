"""Directory servers that others wrote: OpenLDAP, and Samba as an Active Directory domain controller, on loopback."""

import contextlib
import errno
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap
import ldap.modlist
import psutil
import pytest

from tests.certificates import Authority, make_authority
from tests.peers import program

START_WITHIN = 40.0  # seconds
BASE = "dc=example,dc=test"
SEARCHER, SEARCH_PASSWORD = f"cn=search,{BASE}", "search-Passw0rd"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root-Passw0rd"
SLAPD_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server-cert.pem
TLSCertificateKeyFile {folder}/server-key.pem
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
maxsize 10485760
overlay memberof
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by anonymous auth by * none
"""
PEOPLE = {  # uid: (given name, name, mail, password)
    "alice": ("Alice", "Admin", "alice@example.test", "al1ce-Passw0rd"),
    "bob": ("Bob", "Builder", "bob@example.test", "b0b-Passw0rd"),
    "carol": ("Carol", "Chaos", "not a mail address", "car0l-Passw0rd"),
    "dave": ("Dave", "日本", "dave@example.test", "dave-Passw0rd"),
    "eve": ("Eve", "Else", "eve@example.test", "eve-Passw0rd"),
}
# Who is in which group; a group may be in another. eve is in none.
GROUPS = {
    "admins": ["alice"],
    "tokyo": ["bob"],
    "operators": ["tokyo", "dave"],
    "staff": ["operators", "admins", "carol"],
}
PLACES = {**dict.fromkeys(PEOPLE, "people"), **dict.fromkeys(GROUPS, "groups")}


def dn(name: str) -> str:
    """The distinguished name of a person or group of the OpenLDAP server."""
    return f"uid={name},ou=people,{BASE}" if name in PEOPLE else f"cn={name},ou=groups,{BASE}"


def free_tcp_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def wait_for_port(address: str, port: int, process: "subprocess.Popen[Any]", said: Path) -> None:
    """Wait until somebody listens; the test fails with what the server said when it does not."""
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.05)
    text = said.read_text(errors="replace")[-3000:] if said.exists() else ""
    pytest.fail(f"{process.args} does not listen on {address}:{port}:\n{text}")


@dataclass
class Slapd:
    """A running OpenLDAP server with its authority."""

    folder: Path
    ldap_port: int
    ldaps_port: int
    authority: Authority
    process: "subprocess.Popen[Any] | None" = None

    def start(self) -> None:
        """Start it with the data that it has."""
        said = self.folder / "said"
        with open(said, "ab") as output:
            self.process = subprocess.Popen(
                [
                    program("slapd", "slapd"),
                    *("-f", str(self.folder / "slapd.conf"), "-d", "0"),
                    *("-h", f"ldap://127.0.0.1:{self.ldap_port} ldaps://127.0.0.1:{self.ldaps_port}"),
                ],
                stdout=output,
                stderr=output,
            )
        wait_for_port("127.0.0.1", self.ldaps_port, self.process, said)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    @contextlib.contextmanager
    def root(self) -> Iterator[Any]:
        """A connection of its administrator."""
        connection = ldap.initialize(f"ldap://127.0.0.1:{self.ldap_port}")
        connection.simple_bind_s(ROOT, ROOT_PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()

    def add(self, name: str, **attributes: Any) -> None:
        """Add an entry."""
        entry = {
            key: [one.encode() for one in ([value] if isinstance(value, str) else value)]
            for key, value in attributes.items()
        }
        with self.root() as connection:
            connection.add_s(name, ldap.modlist.addModlist(entry))

    def set(self, name: str, **attributes: str | list[str] | None) -> None:
        """Replace attributes of an entry; None takes them away."""
        changes = []
        for key, value in attributes.items():
            values = None if value is None else [one.encode() for one in ([value] if isinstance(value, str) else value)]
            changes.append((ldap.MOD_REPLACE, key, values))
        with self.root() as connection:
            connection.modify_s(name, changes)

    def remove(self, name: str) -> None:
        """Remove an entry."""
        with self.root() as connection:
            connection.delete_s(name)

    def fill(self) -> None:
        """Add everybody, through the server: what reads the database alone would leave the memberships out."""
        self.add(BASE, objectClass=["dcObject", "organization"], dc="example", o="Example")
        self.add(
            SEARCHER,
            objectClass=["organizationalRole", "simpleSecurityObject"],
            cn="search",
            userPassword=SEARCH_PASSWORD,
        )
        for place in ("people", "groups"):
            self.add(f"ou={place},{BASE}", objectClass="organizationalUnit", ou=place)
        for uid, (given, name, mail, password) in PEOPLE.items():
            self.add_person(uid, given, name, mail, password)
        for group, members in GROUPS.items():
            self.add(dn(group), objectClass="groupOfNames", cn=group, member=[dn(one) for one in members])

    def add_person(self, uid: str, given: str, name: str, mail: str, password: str, place: str = "people") -> None:
        """Add a person."""
        self.add(
            f"uid={uid},ou={place},{BASE}",
            objectClass="inetOrgPerson",
            uid=uid,
            cn=f"{given} {name}",
            givenName=given,
            sn=name,
            mail=mail,
            userPassword=password,
        )

    def fields(self, **more: Any) -> dict[str, Any]:
        """What an administrator enters for it."""
        return {
            "name": "OpenLDAP",
            "kind": "ldap",
            "servers": [f"127.0.0.1:{self.ldaps_port}"],
            "encryption": "ldaps",
            "ca_certificate": self.authority.pem,
            "bind_dn": SEARCHER,
            "bind_password": SEARCH_PASSWORD,
            "search_base": f"ou=people,{BASE}",
            "group_base": f"ou=groups,{BASE}",
            **more,
        }

    def by_starttls(self, **more: Any) -> dict[str, Any]:
        """The same by StartTLS."""
        return self.fields(**{"servers": [f"127.0.0.1:{self.ldap_port}"], "encryption": "starttls", **more})


@pytest.fixture(scope="session")
def slapd() -> Iterator[Slapd]:
    """An OpenLDAP server with people and groups in groups, for the whole run."""
    with tempfile.TemporaryDirectory(prefix="esm-slapd-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        authority = make_authority("Example CA")
        (folder / "ca.pem").write_text(authority.pem)
        authority.issue(folder, "localhost", "127.0.0.1")
        names = {"folder": folder, "base": BASE, "root": ROOT, "root_password": ROOT_PASSWORD, "searcher": SEARCHER}
        (folder / "slapd.conf").write_text(SLAPD_CONF.format(**names))
        server = Slapd(folder, free_tcp_port(), free_tcp_port(), authority)
        server.start()
        try:
            server.fill()
            yield server
        finally:
            server.stop()


AD_BASE = "DC=ad,DC=example,DC=test"
AD_PASSWORD = "Adm1n-Passw0rd!"
AD_PORTS = (389, 636, 3268, 3269)
AD_PEOPLE = {
    "alice": "Al1ce-Passw0rd",
    "bob": "B0b-Passw0rd!",
    "eve": "Eve-Passw0rd1",
    "frank": "Frank-Passw0rd1",
    "grace": "Grace-Passw0rd1",
    "search": "Search-Passw0rd1",
}
AD_GROUPS = {  # nested twice: bob, Tokyo-Ops, PortalOperators, PortalUsers
    "PortalAdmins": ["alice"],
    "Tokyo-Ops": ["bob", "eve", "grace"],
    "PortalOperators": ["Tokyo-Ops"],
    "PortalUsers": ["PortalOperators", "PortalAdmins"],
}


# Run by the interpreter that Samba's own tools run on; the control is that of Samba's tests for a past time.
AGE_PASSWORD = """
import sys, ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
settings, data, name = sys.argv[1:]
loaded = LoadParm()
loaded.load(settings)
database = SamDB(url=data, session_info=system_session(), lp=loaded)
change = ldb.Message(ldb.Dn(database, name))
change["pwdLastSet"] = ldb.MessageElement("130000000000000000", ldb.FLAG_MOD_REPLACE, "pwdLastSet")
database.modify(change, ["local_oid:1.3.6.1.4.1.7165.4.3.20:0"])
"""


@dataclass
class Samba:
    """A running Active Directory domain controller on a loopback address of its own."""

    folder: Path
    address: str
    authority: Authority

    @property
    def configuration(self) -> Path:
        """Its settings file."""
        return self.folder / "ad" / "etc" / "smb.conf"

    def tool(self, *words: str) -> str:
        """Administer it with its own tool."""
        command = [program("samba-tool", "samba"), *words, "-s", str(self.configuration)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def person(self, name: str) -> str:
        """The distinguished name of a person."""
        return f"CN={name.title()} Example,CN=Users,{AD_BASE}"

    def age_password(self, name: str) -> None:
        """Have a password be years old, in the data themselves: no client may say that."""
        words = [str(self.configuration), str(self.folder / "ad" / "private" / "sam.ldb"), self.person(name)]
        interpreter = Path(program("samba-tool", "samba")).read_text().splitlines()[0].removeprefix("#!").strip()
        done = subprocess.run(
            [interpreter, "-c", AGE_PASSWORD, *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr

    def set(self, name: str, **attributes: str) -> None:
        """Replace attributes of an entry, as the administrator, over LDAPS."""
        connection = ldap.initialize(f"ldaps://{self.address}")
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_NEVER)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.simple_bind_s("administrator@ad.example.test", AD_PASSWORD)
        try:
            connection.modify_s(name, [(ldap.MOD_REPLACE, key, [value.encode()]) for key, value in attributes.items()])
        finally:
            connection.unbind_s()

    def renew_password(self, name: str) -> None:
        """Have a password be as if it were set now; a time takes the place only of "must be changed"."""
        self.set(self.person(name), pwdLastSet="0")
        self.set(self.person(name), pwdLastSet="-1")

    def fields(self, **more: Any) -> dict[str, Any]:
        """What an administrator enters for it."""
        return {
            "name": "AD",
            "kind": "active-directory",
            "servers": [self.address],
            "encryption": "ldaps",
            "ca_certificate": self.authority.pem,
            "bind_dn": "search@ad.example.test",
            "bind_password": AD_PEOPLE["search"],
            "search_base": AD_BASE,
            **more,
        }


@contextlib.contextmanager
def own_address() -> Iterator[str]:
    """A loopback address on which nobody listens on the ports of a domain controller, ours as long as it is held."""
    if os.geteuid() != 0:
        pytest.fail(
            "Samba as a domain controller listens on ports below 1024 and sets the owners of its files: "
            "run the tests as root, as in a container or by sudo"
        )
    numbers = random.Random()
    for _ in range(50):
        address = f"127.53.{numbers.randrange(256)}.{numbers.randrange(1, 255)}"
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0esm-{address}")  # a name without a file: it is free again whatever becomes of us
            except OSError:
                continue
            if _is_free(address):
                yield address
                return
    pytest.fail("no loopback address is free for a domain controller")


def _is_free(address: str) -> bool:
    for port in AD_PORTS:
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                if holders := _listeners_everywhere(port):
                    pytest.fail(
                        f"{holders} listens on port {port} of every address, which a domain controller needs on one: "
                        "stop that service for the tests (systemctl stop slapd samba-ad-dc)"
                    )
                return False
    return True


def _listeners_everywhere(port: int) -> str:
    found = set()
    for one in psutil.net_connections("tcp"):
        everywhere = one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.laddr.ip in {"0.0.0.0", "::"}
        if everywhere and one.pid:
            found.add(f"{psutil.Process(one.pid).name()} (process {one.pid})")
    return ", ".join(sorted(found))


@pytest.fixture(scope="session")
def samba() -> Iterator[Samba]:
    """A provisioned Active Directory domain controller with people and groups in groups, for the whole run."""
    tool = program("samba-tool", "samba")
    program("samba", "samba-ad-dc")
    with own_address() as address, tempfile.TemporaryDirectory(prefix="esm-ad-") as name:
        folder = Path(name)
        server = Samba(folder, address, make_authority("AD CA"))
        _provision(tool, server)
        said = folder / "said"
        with open(said, "ab") as output:
            process = subprocess.Popen(
                [
                    program("samba", "samba-ad-dc"),
                    "-F",
                    "-M",
                    "single",
                    "--no-process-group",
                    "-s",
                    str(server.configuration),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_for_port(address, 636, process, said)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _provision(tool: str, server: Samba) -> None:
    """Make the domain, its people and groups, and a certificate with the names that clients use."""
    target = server.folder / "ad"
    words = [
        *(tool, "domain", "provision", "--realm=AD.EXAMPLE.TEST", "--domain=ADX", "--server-role=dc"),
        *("--dns-backend=NONE", f"--adminpass={AD_PASSWORD}", f"--targetdir={target}", "--host-name=dc1"),
        *(f"--host-ip={server.address}", "--option=interfaces=lo", "--option=bind interfaces only=yes"),
        "--use-rfc2307",
    ]
    before = os.umask(0o077)
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    finally:
        os.umask(before)
    assert done.returncode == 0, f"samba-tool domain provision: {done.stdout}{done.stderr}"
    settings = []
    for line in server.configuration.read_text().splitlines():
        key = line.partition("=")[0].strip()
        if key == "server services":
            line = "\tserver services = ldap"
        elif key == "interfaces":
            line = f"\tinterfaces = {server.address}/8"
        elif key == "log file":
            line = f"\tlog file = {target}/log.%m"
        settings.append(line)
    server.configuration.write_text("\n".join(settings) + "\n")
    keys = target / "private" / "tls"
    keys.mkdir(mode=0o700, exist_ok=True)
    certificate, key = server.authority.issue(server.folder, "dc1.ad.example.test", server.address)
    (keys / "ca.pem").write_text(server.authority.pem)
    (keys / "cert.pem").write_bytes(certificate.read_bytes())
    (keys / "key.pem").write_bytes(key.read_bytes())
    (keys / "key.pem").chmod(0o600)
    for name, password in AD_PEOPLE.items():
        mail = f"--mail-address={name}@ad.example.test"
        server.tool("user", "create", name, password, f"--given-name={name.title()}", "--surname=Example", mail)
    for group in AD_GROUPS:
        server.tool("group", "add", group)
    for group, members in AD_GROUPS.items():
        server.tool("group", "addmembers", group, ",".join(members))
    for account in ("search", "administrator"):
        server.tool("user", "setexpiry", account, "--noexpiry")
    server.tool("user", "disable", "eve")
    server.tool("user", "setexpiry", "--days=0", "frank")

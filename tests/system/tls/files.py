"""Certificates that ``openssl`` makes, and what it says of ours: it is the peer that we did not write."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.peers import program


def openssl(*words: str | Path, text: str = "", fails: bool = False) -> str:
    """Run one command of openssl; give what it says."""
    command = [program("openssl", "openssl"), *map(str, words)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Pki:
    """A root, an intermediate authority and what they sign, in one folder."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Pki":
        """Make root and intermediate."""
        pki = cls(folder)
        pki.sign("root", "/CN=Company root", "CA:TRUE", by="root")
        pki.sign("middle", "/CN=Company issuing", "CA:TRUE", by="root")
        return pki

    def sign(
        self,
        name: str,
        subject: str,
        basic: str = "CA:FALSE",
        *,
        by: str = "middle",
        key: str = "rsa:2048",
        digest: str = "sha256",
        days: tuple[str, str] = ("", ""),
        extensions: tuple[str, ...] = (),
    ) -> None:
        """Sign a certificate; ``days`` are begin and end as ``YYYYMMDDHHMMSSZ``."""
        folder = self.folder
        options = [f"basicConstraints=critical,{basic}", *extensions]
        newkey = (
            ["-newkey", key] if key.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]
        )
        openssl(
            "req",
            *newkey,
            "-nodes",
            "-keyout",
            folder / f"{name}.key",
            "-out",
            folder / f"{name}.csr",
            "-subj",
            subject,
        )
        (folder / f"{name}.ext").write_text("\n".join(["[x]", *options]) + "\n")
        self.sign_request(name, by, digest, days)

    def sign_request(
        self, name: str, by: str = "middle", digest: str = "sha256", days: tuple[str, str] = ("", "")
    ) -> None:
        """Sign ``name``.csr by ``openssl ca``, which lets the dates be chosen."""
        folder = self.folder
        (folder / "index.txt").write_text("")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
            "policy=p\ndefault_days=90\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        start, end = days
        dates = [*(["-startdate", start] if start else []), *(["-enddate", end] if end else [])]
        issuer = ["-selfsign"] if by == name else ["-cert", folder / f"{by}.pem"]
        openssl(
            *("ca", "-batch", "-notext", "-config", folder / "ca.cnf", "-md", digest, "-in", folder / f"{name}.csr"),
            *("-keyfile", folder / f"{by}.key", *issuer, "-out", folder / f"{name}.pem", *dates),
            *("-extfile", folder / f"{name}.ext", "-extensions", "x"),
        )

    def text(self, *names: str) -> bytes:
        """Give files one after the other."""
        return b"".join((self.folder / name).read_bytes() for name in names)

    def pkcs12(self, name: str, password: str, *more: str, chain: tuple[str, ...] = ("middle", "root")) -> bytes:
        """Give certificate, key and chain as PKCS12."""
        folder = self.folder
        (folder / "chain.pem").write_bytes(b"".join(self.text(f"{one}.pem") for one in chain))
        openssl(
            *("pkcs12", "-export", "-in", folder / f"{name}.pem", "-inkey", folder / f"{name}.key"),
            *("-certfile", folder / "chain.pem", "-passout", f"pass:{password}", "-out", folder / f"{name}.p12", *more),
        )
        return (folder / f"{name}.p12").read_bytes()

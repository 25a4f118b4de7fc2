"""A real OpenLDAP server for tests: on free ports of the loopback interface, with TLS from an authority of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_port

BASE = "dc=example,dc=com"
SERVICE = f"cn=reader,{BASE}"
PROGRAM = shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_MODULES = Path("/usr/lib/ldap")
_SCHEMAS = Path("/etc/ldap/schema")

_CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/nis.schema
include {schemas}/inetorgperson.schema
{schema}
modulepath {modules}
moduleload back_mdb
moduleload memberof
pidfile {home}/pid
TLSCACertificateFile {home}/authority.pem
TLSCertificateFile {home}/server.pem
TLSCertificateKeyFile {home}/server.key
sasl-host localhost
sasl-secprops none
authz-regexp uid=([^,]*),(cn=[^,]*,)?cn=digest-md5,cn=auth ldap:///{base}??sub?(|(uid=$1)(cn=$1))
database mdb
suffix {base}
rootdn cn=root,{base}
rootpw rootpw
directory {home}/data
maxsize {size}
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""

_ENTRIES = """
dn: {base}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{base}
objectClass: organizationalUnit
ou: groups

dn: cn=reader,{base}
objectClass: person
cn: reader
sn: Reader
userPassword: reader-pw

dn: uid=ada,ou=people,{base}
objectClass: inetOrgPerson
uid: ada
cn: Ada (the first), Countess
sn: Lovelace
mail: ada@example.com
userPassword: ada-pw

dn: uid=bob,ou=people,{base}
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Bob
userPassword: bob-pw

dn: uid=pat,ou=people,{base}
objectClass: inetOrgPerson
uid: pat
cn: Pat
sn: Pat
userPassword: pat-pw

dn: uid=odd*)(,ou=people,{base}
objectClass: inetOrgPerson
uid: odd*)(
cn: Odd
sn: Odd
userPassword: odd-pw

dn: uid=twin,ou=people,{base}
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
userPassword: twin-pw

dn: uid=twin,{base}
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
userPassword: twin-pw

dn: cn=unix,ou=groups,{base}
objectClass: posixGroup
cn: unix
gidNumber: 100
memberUid: pat
"""

_GROUPS = {
    "itadmins": ["uid=ada,ou=people"],
    "everybody": ["cn=itadmins,ou=groups", "uid=bob,ou=people"],
    "round": ["cn=everybody,ou=groups", "cn=about,ou=groups"],
    "about": ["cn=round,ou=groups"],
}
"""Added while it runs: only then the server notes in members what they are members of."""


@dataclasses.dataclass(frozen=True, slots=True)
class Slapd:
    """A running server."""

    authority: str
    """PEM."""
    tls_port: int
    plain_port: int


def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority {uuid.uuid4()}")])
    return key, _certificate(name, key, name, key.public_key(), [], ca=True)


def _certificate(
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    alternatives: list[x509.GeneralName],
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@contextlib.contextmanager
def running(
    home: Path, *, tls: bool = True, schema: str = "", entries: str = "", size: int = 16777216
) -> Iterator[Slapd]:
    """A server with the entries above; its certificate names `localhost` only. `tls`: it offers that.

    `schema`: definitions beside the usual ones, as in slapd.conf; `entries`: more of them, as LDIF; `size`: most bytes
    of its database.
    """
    assert PROGRAM is not None, "slapd is missing; scripts/system-packages test installs it"
    signer, trusted = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    own = _certificate(trusted.subject, signer, name, key.public_key(), [x509.DNSName("localhost")], ca=False)
    (home / "data").mkdir(parents=True)
    (home / "authority.pem").write_text(pem(trusted))
    (home / "server.pem").write_text(pem(own))
    (home / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    text = _CONFIGURATION.format(home=home, base=BASE, schemas=_SCHEMAS, modules=_MODULES, schema=schema, size=size)
    if not tls:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("TLS"))
    (home / "slapd.conf").write_text(text)
    _fill(home, entries)
    ports = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{ports[1]}/" + (f" ldaps://127.0.0.1:{ports[0]}/" if tls else "")
    command = [PROGRAM, "-f", str(home / "slapd.conf"), "-h", urls, "-d", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        _wait(process, ports[1])
        _add_groups(ports[1])
        yield Slapd(pem(trusted), *ports)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _fill(home: Path, more: str) -> None:
    (home / "entries.ldif").write_text(f"{_ENTRIES.format(base=BASE)}\n{more}")
    subprocess.run(
        [str(PROGRAM), "-T", "add", "-f", str(home / "slapd.conf"), "-l", str(home / "entries.ldif")],
        check=True,
        capture_output=True,
        timeout=120,
    )


def _add_groups(port: int) -> None:
    root = ldap3.Connection(f"ldap://127.0.0.1:{port}", f"cn=root,{BASE}", "rootpw", auto_bind=True)
    for name, members in _GROUPS.items():
        member = [f"{one},{BASE}" for one in members]
        assert root.add(f"cn={name},ou=groups,{BASE}", "groupOfNames", {"cn": name, "member": member}), root.result
    root.unbind()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline, "slapd does not answer"
        process.poll()

"""The directory of administrators: is this his password, and which groups is he in (SYS-055...SYS-067)?"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Generator, Sequence
from typing import Any

import ldap3
import structlog
from ldap3.core.exceptions import LDAPException

from rostra.configuration import orm
from rostra.configuration.resources import register
from rostra.configuration.secretfield import reveal
from rostra.management.accounts.ldap import connection as wire
from rostra.management.accounts.ldap import identity, nesting, templates
from rostra.management.accounts.ldap.targets import PLAIN, Address, NoAddress, Target, services, targets

logger = structlog.get_logger("support.ldap")

_PATIENCE = 10.0
"""Seconds after which no further attempt is made: somebody waits for the answer."""
_MOST_GROUPS = 1000
"""Groups offered for choosing."""
_PAGE = 500
"""Entries that are asked for at a time."""
_ACTIVE_DIRECTORY = b"1.2.840.113556.1.4.800"
"""The capability that only Active Directory claims."""
_CLOSED = ("userAccountControl", "nsAccountLock", "pwdAccountLockedTime")
"""Attributes by which directories say that an account is closed: Active Directory, 389 and its like, OpenLDAP."""
_DISABLED = 0x2
_FOR_GOOD = "000001010000Z"
_PAGED = "1.2.840.113556.1.4.319"
"""The control that tells whether there are more (RFC 2696)."""


class Unavailable(Exception):
    """The directory cannot be asked; the text says why, attempt by attempt."""


class NotFound(Exception):
    """There is not exactly one such user; the text says what was found."""


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """A user's entry."""

    dn: str
    uid: str
    attributes: dict[str, list[str]]
    """By name in lower case."""
    identity: str
    """What stays the same when he is renamed or moved, where the directory has something like that."""

    @property
    def classes(self) -> set[str]:
        """Object classes in lower case."""
        return {name.lower() for name in self.attributes.get("objectclass", [])}

    @property
    def is_closed(self) -> bool:
        """Is his account disabled? The directory would not take his password; it is asked for none by certificate."""
        flags, locked, since = (self.attributes.get(name.lower(), [""])[0] for name in _CLOSED)
        return (flags.isdecimal() and bool(int(flags) & _DISABLED)) or locked.upper() == "TRUE" or since == _FOR_GOOD


@contextlib.contextmanager
def connected(settings: Any) -> Generator[Directory]:
    """The directory that `settings` (an AuthenticationSettings) describe, with the service account signed in.

    Raises Unavailable.
    """
    dns = _dns_servers()
    reasons: list[str] = []
    end = time.monotonic() + _PATIENCE
    for target in _targets(settings, dns):
        if reasons and time.monotonic() > end:
            reasons.append(f"{target.uri} : not tried, it took too long already")
            break
        try:
            found = _sign_in(settings, target, dns)
        except wire.NotConnected as problem:
            reasons.append(f"{target.uri} : {problem}")
            continue
        logger.info("Successfully connected to LDAP server", address=settings.ldap_server, uri=target.uri)
        try:
            yield Directory(settings, target, found, dns)
        except (LDAPException, OSError) as problem:
            raise Unavailable(f"{target.uri} : {problem}") from None
        finally:
            wire.close(found)
        return
    logger.warning("Failed connecting to LDAP server", address=settings.ldap_server, reasons="\n".join(reasons))
    raise Unavailable("; ".join(reasons))


def _targets(settings: Any, dns: Sequence[str]) -> list[Target]:
    try:
        address = Address.parse(settings.ldap_server)
    except NoAddress as problem:
        raise Unavailable(str(problem)) from None
    return targets(
        address,
        services(dns),
        insecure=settings.ldap_permit_no_tls,
        global_catalog=settings.ldap_use_global_catalog,
    )


def _sign_in(settings: Any, target: Target, dns: Sequence[str]) -> ldap3.Connection:
    found = wire.open_connection(target, dns)
    name = settings.ldap_bind_username
    if not name and target.how != PLAIN:
        return found  # the directory may be open to everybody
    try:
        if wire.bind(found, target, name, reveal(settings, "ldap_bind_password")):
            return found
    except wire.NotConnected:
        wire.close(found)
        raise
    wire.close(found)
    raise wire.NotConnected(wire.REFUSED)


def _dns_servers() -> list[str]:
    """Those of the Management Node; none: the machine's own way."""
    resource = register.get("management_vm")
    row = orm.rows(resource.model).first() if resource is not None else None
    return [server.address for server in row.dns_servers.all()] if row is not None else []


class Directory:
    """An open directory."""

    def __init__(self, settings: Any, target: Target, connection: ldap3.Connection, dns: Sequence[str]) -> None:
        self._settings = settings
        self.target = target
        self._connection = connection
        self._dns = dns

    def person(self, username: str) -> Person:
        """The one whose login name this is, upper and lower case included (SYS-052, SYS-062). Raises NotFound."""
        settings = self._settings
        search = templates.fill(settings.ldap_user_search_filter, username=username)
        names = templates.tested(settings.ldap_user_search_filter)
        wanted = [
            "objectClass",
            "uid",
            *identity.ATTRIBUTES,
            *_CLOSED,
            *names,
            *templates.attributes(settings.ldap_user_group_attributes),
        ]
        users, excluded = templates.without_classes(settings.ldap_user_filter)
        found = self._search(settings.ldap_user_search_dn, templates.both(users, search), wanted)
        people = [_person(entry) for entry in found]
        people = [one for one in people if _is_called(one, username, names) and excluded.isdisjoint(one.classes)]
        if len(people) != 1:
            raise NotFound("No user is called so." if not people else f"{len(people)} users are called so.")
        return people[0]

    def is_password(self, person: Person, username: str, password: str) -> bool:
        """Does the directory take this password for him? Raises Unavailable."""
        name = username if self.target.how == PLAIN else person.dn
        try:
            own = wire.open_connection(self.target, self._dns)
            try:
                return wire.bind(own, self.target, name, password)
            finally:
                wire.close(own)
        except wire.NotConnected as problem:
            raise Unavailable(f"{self.target.uri} : {problem}") from None

    def groups(self, person: Person) -> list[str]:
        """DNs of his groups: by his attributes, or where he has none of them by a search (SYS-064...SYS-066)."""
        settings = self._settings
        names = templates.attributes(settings.ldap_user_group_attributes)
        named = [person.attributes[name.lower()] for name in names if name.lower() in person.attributes]
        if named:
            return [group for groups in named for group in groups]
        member = settings.ldap_group_membership_filter
        if not templates.follows_nesting(member) or self._follows_nesting():
            return self._holding(member, [person.dn], person.uid)
        direct = templates.one_step(member)
        return nesting.walk(person.dn, lambda dns: self._holding(direct, dns, person.uid), seconds=_PATIENCE)

    def all_groups(self) -> list[str]:
        """DNs of groups to choose from (SYS-081)."""
        return sorted(self._group_names(templates.both(self._settings.ldap_group_filter, "")))[:_MOST_GROUPS]

    def records(self, where: str, search: str, attributes: Sequence[str]) -> Generator[dict[str, Any]]:
        """Every entry under `where` that passes `search`, page by page. Raises Unavailable, also when the directory
        does not give all of them.
        """
        base, cookie = templates.within(where, self._settings.ldap_base_dn), b""
        while True:
            self._connection.search(
                base, search, ldap3.SUBTREE, attributes=list(attributes), paged_size=_PAGE, paged_cookie=cookie or None
            )
            result = self._connection.result
            if result["result"] != 0:
                raise Unavailable(f"{self.target.uri} : {result['description']} {result['message']}".strip())
            yield from (entry for entry in self._connection.response or () if entry["type"] == "searchResEntry")
            control = (result.get("controls") or {}).get(_PAGED, {})
            cookie = control.get("value", {}).get("cookie") or b""
            if not cookie:
                return

    def _holding(self, member: str, dns: Sequence[str], uid: str) -> list[str]:
        """Groups that the template `member` finds for one of these DNs."""
        asked = templates.either([templates.fill(member, userdn=dn, useruid=uid) for dn in dns])
        return self._group_names(templates.both(self._settings.ldap_group_filter, asked))

    def _follows_nesting(self) -> bool:
        """Is it an Active Directory, which finds members of members when it is asked for them?"""
        self._connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["supportedCapabilities"])
        found = self._connection.response[0].get("raw_attributes", {}) if self._connection.response else {}
        return _ACTIVE_DIRECTORY in found.get("supportedCapabilities", ())

    def _group_names(self, search: str) -> list[str]:
        return [entry["dn"] for entry in self._search(self._settings.ldap_group_search_dn, search, ["cn"])]

    def _search(self, where: str, search: str, attributes: list[str]) -> list[dict[str, Any]]:
        base = templates.within(where, self._settings.ldap_base_dn)
        # Attributes a server has never heard of are no reason to fail: our own schema check is off.
        self._connection.search(base, search, ldap3.SUBTREE, attributes=attributes, size_limit=_MOST_GROUPS)
        result = self._connection.result
        if result["result"] not in (0, 4, 32):  # 4: more than we asked for; 32: there is no such place
            raise Unavailable(f"{self.target.uri} : {result['description']} {result['message']}".strip())
        return [entry for entry in self._connection.response or () if entry["type"] == "searchResEntry"]


def _person(entry: dict[str, Any]) -> Person:
    attributes = {
        name.lower(): [value.decode(errors="replace") for value in values]
        for name, values in entry["raw_attributes"].items()
        if values
    }
    uid = attributes.get("uid") or attributes.get("samaccountname") or [""]
    return Person(entry["dn"], uid[0], attributes, identity.of(entry["dn"], entry["raw_attributes"]))


def _is_called(person: Person, username: str, names: list[str]) -> bool:
    values = [value for name in names for value in person.attributes.get(name.lower(), [])]
    return username in values or not values

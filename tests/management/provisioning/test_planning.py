"""What a run decides, from records and what is there; without a database."""

from __future__ import annotations

import types
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.configuration.models import ConferenceSyncTemplate
from rostra.management.accounts.ldap.directory import Directory, Unavailable
from rostra.management.accounts.ldap.targets import Target
from rostra.management.provisioning import planning, records
from rostra.management.provisioning.kinds import ALIASES, DEVICE, KINDS, USER, VMR, Kind
from rostra.management.provisioning.planning import Existing, Plan, plan
from rostra.management.provisioning.reading import NotRead, normal
from rostra.management.provisioning.records import Field, Record
from rostra.management.provisioning.rendering import NotRendered, Renderer, Wanted, render_all

TEMPLATE = "Staff"


def room(key: str, *aliases: str, **values: Any) -> Wanted:
    return Wanted(key, {"name": key, "description": "", "pin": "", **values}, tuple((one, "") for one in aliases))


def there(pk: int, wanted: Wanted, origin: str = TEMPLATE, **changes: Any) -> Existing:
    return Existing(pk, wanted.key, {**wanted.values, **changes}, origin, wanted.aliases)


def messages(found: Plan) -> list[str]:
    return [warning.message for warning in found.warnings]


def test_new_changed_unchanged_and_gone() -> None:
    new, changed, same = room("New", "new"), room("Changed", "c"), room("Same", "s")
    existing = [
        there(1, changed, pin="1234"),
        there(2, same),
        there(3, room("Gone")),
        there(4, room("Mine"), origin=""),
    ]
    found = plan(VMR, TEMPLATE, [new, changed, same], [], existing)
    assert [write.wanted.key for write in found.creates] == ["New"]
    assert [(write.pk, write.changes, write.aliases) for write in found.updates] == [(1, {"pin": ""}, None)]
    assert (found.deletes, found.unchanged, found.warnings) == ([3], 1, [])


@pytest.mark.spec("SVC-172", "SVC-181", "SVC-184", "DIAG-075", "DIAG-076")
@pytest.mark.parametrize(
    ("origin", "kept", "changes", "message"),
    [
        (TEMPLATE, {"pin"}, None, None),
        (TEMPLATE, set(), {"pin": "1234"}, None),
        ("", {"pin"}, {"pin": "1234"}, VMR.clash[0]),
        ("Guests", {"pin"}, {"pin": "1234"}, VMR.clash[1]),
    ],
)
def test_fields_that_are_left_alone(origin: str, kept: set[str], changes: Any, message: str | None) -> None:
    wanted = room("Room", pin="1234")
    found = plan(VMR, TEMPLATE, [wanted], [], [there(1, wanted, origin, pin="9999")], frozenset(kept))
    assert [write.changes for write in found.updates] == ([] if changes is None else [changes])
    assert messages(found) == ([] if message is None else [message])
    assert found.deletes == []


@pytest.mark.spec("DIAG-073", "DIAG-074", "DIAG-077")
def test_the_same_twice() -> None:
    wanted = [room("A", "x", "X", "y"), room("B", "y"), room("A", "z")]
    found = plan(VMR, TEMPLATE, wanted, [], [])
    assert [(write.wanted.key, write.aliases) for write in found.creates] == [
        ("A", (("x", ""),)),
        ("B", (("y", ""),)),
    ]
    assert sorted(messages(found)) == sorted([VMR.clash[2], planning.ALIAS_TWICE, planning.ALIAS_CLASH])


def test_aliases_of_others_move_with_a_warning_and_own_ones_without() -> None:
    old, new = room("Old", "a"), room("New", "a", "b")
    found = plan(VMR, TEMPLATE, [new], [], [there(1, old)], holders={"a": (1, "Old"), "b": (7, "Somebody's")})
    (warning,) = found.warnings
    assert (warning.message, warning.details["alias"]) == (planning.ALIAS_CLASH, "b")
    assert found.deletes == [1]
    kept = plan(VMR, TEMPLATE, [new], [], [there(1, old)], frozenset({ALIASES}), {"a": (1, "Old")})
    assert messages(kept) == [planning.ALIAS_CLASH]


def test_keys_of_devices_have_no_case() -> None:
    one, other = (Wanted(key, {"alias": key}) for key in ("A@x.test", "a@X.test"))
    found = plan(DEVICE, TEMPLATE, [one, other], [], [Existing(1, "a@x.TEST", {"alias": "a@x.TEST"}, TEMPLATE)])
    assert [(write.pk, write.changes, write.aliases) for write in found.updates] == [(1, {"alias": "A@x.test"}, None)]
    assert messages(found) == [DEVICE.clash[2]]


def test_records_that_fail_delete_nothing_of_theirs() -> None:
    record = Record("cn=x", {})
    existing = [there(1, room("Known")), there(2, room("Gone"))]
    known = plan(VMR, TEMPLATE, [], [NotRendered(record, "no", "Known")], existing)
    assert (known.deletes, messages(known)) == ([2], [planning.NOT_RENDERED])
    unknown = plan(VMR, TEMPLATE, [], [NotRendered(record, "no")], existing)
    assert (unknown.deletes, messages(unknown)) == ([], [planning.NOT_RENDERED, planning.NOT_DELETED])


NAMES = st.sampled_from(["a", "b", "c", "d", "Ä"])
ROOMS = st.builds(
    lambda key, aliases, pin: room(key, *aliases, pin=pin), NAMES, st.lists(NAMES, max_size=3), st.sampled_from("12")
)
EXISTING = st.lists(
    st.tuples(ROOMS, st.sampled_from([TEMPLATE, "", "Guests"])), unique_by=lambda pair: pair[0].key, max_size=5
)


def carried_out(found: Plan, existing: Sequence[Existing]) -> list[Existing]:
    """What is there after a plan."""
    rows = {one.pk: one for one in existing if one.pk not in found.deletes}
    taken = {alias for write in (*found.creates, *found.updates) for alias, _ in write.aliases or ()}
    for pk, one in list(rows.items()):
        rows[pk] = Existing(pk, one.key, one.values, one.origin, tuple(a for a in one.aliases if a[0] not in taken))
    for number, write in enumerate((*found.creates, *found.updates), 100):
        pk = write.pk or number
        before = rows.get(pk) or Existing(pk, write.wanted.key, {}, TEMPLATE)
        aliases = before.aliases if write.aliases is None else write.aliases
        rows[pk] = Existing(pk, write.wanted.key, {**before.values, **write.changes}, TEMPLATE, aliases)
    return list(rows.values())


@pytest.mark.spec("SVC-170")
@given(st.lists(ROOMS, max_size=6), EXISTING)
def test_a_second_run_finds_nothing_to_do_and_what_others_made_stays(wanted: list[Wanted], pairs: Any) -> None:
    existing = [there(number, one, origin) for number, (one, origin) in enumerate(pairs, 1)]
    after = carried_out(plan(VMR, TEMPLATE, wanted, [], existing), existing)
    again = plan(VMR, TEMPLATE, wanted, [], after)
    assert (again.creates, again.updates, again.deletes) == ([], [], [])
    keys = {one.key for one in wanted}
    assert {one.key for one in after if one.origin == TEMPLATE} == keys
    assert {one.key for one in after if one.origin != TEMPLATE} == {
        one.key for one in existing if one.origin != TEMPLATE and one.key not in keys
    }


# ---- records


@pytest.mark.spec("SVC-142", "SVC-143", "SVC-146")
def test_values_of_records() -> None:
    identity = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
    raw = {
        "Mail": [b"a@x.test", b"b@x.test"],
        "objectGUID": [identity.bytes_le],
        "sn": ["Müller".encode("latin-1")],
        "photo": [b"\x00\xff"],
        "extra": [b" x\x00 "],
        "useraccountcontrol": [b"514"],
    }
    known = records.fields([Field("photo", "photo", True), Field("Extra", "wrong"), Field("extra", "right")])
    found = records.record("cn=x", raw, known)
    assert {name: found.values[name] for name in ("mail", "objectGUID", "photo", "wrong", "right", "mobile")} == {
        "mail": "a@x.test",
        "objectGUID": str(identity),
        "photo": "00ff",
        "wrong": None,
        "right": "x",
        "mobile": None,
    }
    assert found.values["sn"] == "M\ufffdller"
    assert not found.enabled
    assert records.record("cn=y", {"userAccountControl": [b"512"]}, known).enabled


@pytest.mark.spec("SVC-136")
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("mail=*", "(mail=*)"),
        ("", "(objectClass=*)"),
        ("(&(a=b)  (c=d) (!(e=Alice Parkes)))", "(&(a=b)(c=d)(!(e=Alice Parkes)))"),
    ],
)
def test_filters(given: str, wanted: str) -> None:
    assert normal(given) == wanted


@pytest.mark.parametrize("given", ["(a=b)(c=d)", "(&(a=b))(c=d)", "(a=b"])
def test_filters_that_are_more_or_less_than_one(given: str) -> None:
    with pytest.raises(NotRead):
        normal(given)


# ---- rendering


def template(**changes: Any) -> Any:
    values = {field.attname: field.get_default() for field in ConferenceSyncTemplate._meta.concrete_fields}
    return types.SimpleNamespace(**{**values, "name": TEMPLATE, "conference_name": "{{sn}}", **changes})


@pytest.mark.spec("SVC-164", "SVC-175", "SVC-185")
def test_records_become_objects() -> None:
    made = template(
        alias_1="meet.{{mail}}",
        alias_2="{% if mobile %}{{mobile}}{% endif %}",
        alias_3="{{mobile}}",
        alias_4="{{sn|lower}}",
        alias_4_description="short",
        conference_description="{{ mail|pex_require_min_length(3) }}",
        primary_owner_email_address="{{mobile}}",
        participant_limit=5,
    )
    people = [
        Record("1", {"sn": " Ä ", "mail": "a@x", "mobile": None}),
        Record("2", {"sn": "B", "mail": None}),
        Record("3", {"sn": "C", "mail": "c@x"}, enabled=False),
        Record("4", {"sn": None, "mail": "d@x"}),
    ]
    wanted, failed = render_all(Renderer(VMR, made), people)
    assert [one.key for one in wanted] == ["Ä", "None"]
    first = wanted[0]
    assert first.aliases == (("meet.a@x", ""), ("ä", "short"))
    assert (first.values["primary_owner_email_address"], first.values["participant_limit"]) == ("", 5)
    assert failed == []
    broken, (problem,) = render_all(Renderer(VMR, template(pin="{{ sn + 1 }}")), people[:1])
    assert (broken, problem.key) == ([], "Ä")
    disabled, _ = render_all(Renderer(VMR, template()), people, disabled_too=True)
    assert len(disabled) == 4


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.counted)
def test_every_field_exists(kind: Kind) -> None:
    """What the table of a kind names is there, in the objects and in the template."""
    own = {field.attname for field in kind.model._meta.concrete_fields} | {ALIASES}
    names = {field.attname for field in ConferenceSyncTemplate._meta.concrete_fields}
    assert {kind.key, *kind.fields, *kind.overridable, *kind.unset} <= own
    assert {kind.switch, *kind.patterns.values(), *kind.copied.values(), *kind.overridable.values()} <= names


def test_every_switch_is_used() -> None:
    switches = {
        field.name for field in ConferenceSyncTemplate._meta.concrete_fields if field.name.endswith("_overridable")
    }
    used = {switch for kind in (VMR, DEVICE, USER) for switch in kind.overridable.values()}
    assert switches == used


# ---- reading


@pytest.mark.parametrize("code", [4, 32, 10])
def test_records_are_all_of_them_or_none(code: int) -> None:
    """A directory that stops in the middle must not look like one whose people have gone."""
    entry = {"type": "searchResEntry", "dn": "uid=a", "raw_attributes": {}}
    more = {"1.2.840.113556.1.4.319": {"value": {"cookie": b"more"}}}
    answers = [{"result": 0, "controls": more}, {"result": code, "description": "stopped", "message": ""}]
    asked: list[Any] = []

    class Connection:
        response: Sequence[Any] = (entry,)
        result: Any = None

        def search(self, *_: Any, **given: Any) -> None:
            asked.append(given["paged_cookie"])
            self.result = answers[len(asked) - 1]

    settings = types.SimpleNamespace(ldap_base_dn="dc=x")
    opened = Directory(settings, Target("x.test", 636, "ldaps"), Connection(), [])  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="stopped"):
        list(opened.records("ou=people", "(a=b)", ["mail"]))
    assert asked == [None, b"more"]

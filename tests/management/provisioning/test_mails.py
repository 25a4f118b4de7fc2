"""Mail to owners: what it says, and how it is handed to a real server."""

from __future__ import annotations

import datetime
import ssl
import types
from pathlib import Path
from typing import Any

import pytest

from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device
from rostra.domain.patterns import PatternProblem
from rostra.management.audit.models import AdministratorLog
from rostra.management.provisioning import mailing, mails
from rostra.management.provisioning.mails import Texts
from rostra.management.provisioning.posting import Postman
from tests.management.conftest import Api
from tests.management.provisioning import mailserver
from tests.ports import free_port

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
ROOM = types.SimpleNamespace(
    name="Ada's room",
    description="Ä",
    allow_guests=False,
    pin="",
    guest_pin="",
    max_callrate_in=None,
    max_callrate_out=4128,
    participant_limit=None,
    tag="",
    primary_owner_email_address="ada@example.test",
)
ALIASES = ["meet.ada", "meet.ada@example.test", "555123", "777"]


def mail(subject: str, body: str, action: str = "created", **changes: Any) -> Any:
    template = types.SimpleNamespace(service_email_subject_template=subject, service_email_template=body)
    row = types.SimpleNamespace(**{**vars(ROOM), **changes})
    variables = mails.vmr_variables(row, ALIASES, action)
    return mails.message(Texts.of_vmr(template), variables, "rooms@example.test", "ada@example.test", NOW)


BASIC = "Web: https://conf.example.test/webapp/#/?conference={{numeric_alias}}\nEndpoint: {{uri_alias}}\n"
PIN = (
    "{% if pin %}\nhttps://conf.example.test/webapp/#/?conference={{numeric_alias}}&pin={{pin}}\n"
    "pexip:{{uri_alias}}?pin={{pin}}\n{% else %} {# if pin #}\npexip:{{uri_alias}}\n{% endif %} {# if pin #}\n"
)
NESTED = (
    '{%set pstn_access_number = "+44 20 1" %}\n{%set rp_address = "conf.example.test" %}\n'
    '{%set url = "https://" + rp_address + "/" %}\n'
    '{%if action=="created" %}\nWelcome\n{% else %}\nUpdated\n{% endif %}\n'
    "{%if allow_guests %}\nHost {{pin}}\n{%if guest_pin %}\nGuest {{guest_pin}}\n{% else %}\nGuests need none\n"
    "{% endif %}\n{% else %}\n{% if pin %}\nPIN {{pin}}\n{% else %}\nNo PIN\n{% endif %}\n{% endif %}\n"
    "{{url}} {{pstn_access_number}}\n"
)


@pytest.mark.spec("SVC-198", "SVC-199", "SVC-201", "SVC-202", "SVC-203", "SVC-204", "SVC-205")
@pytest.mark.parametrize(
    ("body", "action", "changes", "wanted"),
    [
        (
            *(BASIC, "created", {}),
            "Web: https://conf.example.test/webapp/#/?conference=555123\nEndpoint: meet.ada@example.test\n",
        ),
        (PIN, "created", {}, " pexip:meet.ada@example.test\n"),
        (PIN, "created", {"pin": "1234"}, "&pin=1234\npexip:meet.ada@example.test?pin=1234\n"),
        (NESTED, "created", {}, "Welcome\nNo PIN\nhttps://conf.example.test/ +44 20 1\n"),
        (NESTED, "updated", {"pin": "1234"}, "Updated\nPIN 1234\nhttps://conf.example.test/ +44 20 1\n"),
        (
            NESTED,
            "reminder",
            {"pin": "1234", "allow_guests": True, "guest_pin": "5678"},
            "Updated\nHost 1234\nGuest 5678\nhttps://conf.example.test/ +44 20 1\n",
        ),
        (
            NESTED,
            "created",
            {"pin": "1234", "allow_guests": True},
            "Welcome\nHost 1234\nGuests need none\nhttps://conf.example.test/ +44 20 1\n",
        ),
        ("{{aliases}}|{{description}}|{{max_callrate_in}}|{{max_callrate_out}}", "created", {},
         "meet.ada, meet.ada@example.test, 555123, 777|Ä||4128\n"),
    ],
)  # fmt: skip
def test_bodies(body: str, action: str, changes: dict[str, Any], wanted: str) -> None:
    found = mail("Room", body, action, **changes)
    assert found.get_content_type() == "text/plain"
    text = found.get_content()
    if body is PIN:
        assert wanted.strip() in text
        assert ("pin=1234" in text) == bool(changes)
    else:
        assert text.replace("\n\n", "\n") == wanted


@pytest.mark.spec("SVC-199", "SVC-200")
def test_subjects_and_html() -> None:
    found = mail("Room\r\nBcc: eve@example.test\n{{name}}", "\n<html><body>{{description}}</body></html>")
    assert found["Subject"] == "Room Bcc: eve@example.test Ada's room"
    assert found["Bcc"] is None
    assert (found.get_content_type(), found.get_content_charset()) == ("text/html", "utf-8")
    assert found["To"] == "ada@example.test"


@pytest.mark.parametrize("action", ["created", "updated", "reminder"])
def test_standard_texts(action: str) -> None:
    found = mail("", "", action, pin="1234", allow_guests=True)
    assert "Ada's room" in found["Subject"]
    assert "\n" not in found["Subject"]
    text = found.get_content()
    assert "Your own PIN as a Host: 1234" in text
    assert "meet.ada, meet.ada@example.test" in text
    assert "{" not in text
    device = types.SimpleNamespace(
        alias="ada@x.test", description="", tag="", username="ada", primary_owner_email_address=""
    )
    template = types.SimpleNamespace(device_email_subject_template="", device_email_template="")
    variables = mails.device_variables(device, "hidden-pw", action)
    told = mails.message(Texts.of_device(template), variables, "a@x.test", "b@x.test", NOW).get_content()
    assert "Username: ada\nPassword: hidden-pw\n" in told


@pytest.mark.parametrize("address", ["", "None", "a@b@c", "a b@c", "x@y\nBcc: z@w", "<a@b>", "a@b,c@d"])
def test_addresses_nobody_writes_to(address: str) -> None:
    assert mails.recipient(address) == ""


def test_a_text_that_is_no_template_is_refused() -> None:
    with pytest.raises(PatternProblem):
        mail("{{", "")


# ---- a real server


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """Of a server called localhost, and the authority it is from."""
    return _certificate(tmp_path)


def _certificate(home: Path) -> tuple[ssl.SSLContext, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    from tests.management.accounts import slapd

    signer, trusted = slapd.authority()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    own = slapd._certificate(trusted.subject, signer, name, key.public_key(), [x509.DNSName("localhost")], ca=False)
    (home / "mail.pem").write_text(slapd.pem(own))
    (home / "mail.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(home / "mail.pem", home / "mail.key")
    return context, slapd.pem(trusted)


def smtp(api: Api, port: int, **changes: Any) -> str:
    return api.create(
        "smtp_server", name="Mail", address="localhost", port=port, from_email_address="rooms@example.test", **changes
    )


def template(api: Api, server: str, **changes: Any) -> ConferenceSyncTemplate:
    source = api.create(
        "ldap_sync_source",
        name="Directory",
        ldap_server="ldap.example.test",
        ldap_base_dn="dc=example",
        ldap_bind_username="reader",
        ldap_bind_password="hidden",
    )
    api.create(
        "conference_sync_template",
        name="Staff",
        ldap_sync_source=source,
        conference_name="{{sn}}",
        smtp_server=server,
        **changes,
    )
    return ConferenceSyncTemplate.objects.get()


def quick(server: Any) -> Postman:
    return Postman(server, pause=lambda _: None)


@pytest.mark.spec("SYS-038", "SVC-195", "SVC-196", "SVC-197")
def test_mails_go_out_over_tls_with_an_account(api: Api, certificate: tuple[ssl.SSLContext, str]) -> None:
    context, authority = certificate
    assert api("POST", "ca_certificate/", {"certificate": authority}).status_code == 201
    with mailserver.running(context) as mailbox:
        server = smtp(api, mailbox.port, username="rostra", password="smtp-pw", connection_security="STARTTLS")
        made = template(api, server, service_email_subject_template="{{action}}")
        rooms = [
            Conference.objects.create(name=f"Room {n}", sync_tag="Staff", primary_owner_email_address=f"p{n}@x.test")
            for n in range(8, 11)
        ]
        device = Device.objects.create(
            alias="d@x.test",
            username="d",
            password="device-pw",
            sync_tag="Staff",
            primary_owner_email_address="d@x.test",
        )
        nobody = Conference.objects.create(name="Nobody's", sync_tag="Staff", primary_owner_email_address="None")
        todo = [(row.pk, "created") for row in (*rooms, nobody)]
        report = mailing.Mailing(made, quick).send(todo, [(device.pk, "updated")])
        assert [(found["To"], found["Subject"]) for found in mailbox.mails] == [
            ("p8@x.test", "created"),
            ("p10@x.test", "created"),
            ("d@x.test", "The settings of your device have changed: d@x.test"),
        ]
        assert (mailbox.encrypted, len(mailbox.connections)) == ({True}, 1)
        assert "Password: device-pw" in mailbox.mails[2].get_content()
        assert report.sent == 3
        assert report.problems == ["Room 9: 550 Nobody is called so", f"Nobody's: {mailing.NO_OWNER}"]
        api("PATCH", server, {"password": "wrong"})
        again = mailing.Mailing(ConferenceSyncTemplate.objects.get(), quick).send(todo)
        assert again.sent == 0
        assert "535" in again.problems[0]
    log = AdministratorLog.objects.filter(name="administrator.vmrsync")
    assert log.filter(message="Sent provisioning email").count() == 3
    assert "smtp-pw" not in "".join(log.values_list("line", flat=True))
    assert "device-pw" not in "".join(log.values_list("line", flat=True))


@pytest.mark.spec("SVC-208", "SVC-209")
def test_reminders(api: Api) -> None:
    command = "/api/admin/command/v1/conference/send_conference_email/"
    with mailserver.running() as mailbox:
        made = template(api, smtp(api, mailbox.port))
        room = Conference.objects.create(name="Room", sync_tag="Staff", primary_owner_email_address="p@x.test")
        other = Conference.objects.create(name="Other", primary_owner_email_address="o@x.test")
        assert api("POST", command, {"conference_id": room.pk}).status_code == 202
        refused = api("POST", command, {"conference_id": other.pk})
        assert (refused.status_code, mailing.NO_TEMPLATE in refused.json()["message"]) == (202, True), refused.content
        chosen = {"conference_id": other.pk, "conference_sync_template_id": made.pk}
        assert api("POST", command, chosen).status_code == 202
        assert mailing.remind_all(made, quick).sent == 1
        assert [mail["To"] for mail in mailbox.mails] == ["p@x.test", "o@x.test", "p@x.test"]
        assert all("reminder" in mail.get_content() for mail in mailbox.mails)
    assert api.list("/api/admin/status/v1/conference_sync/") == []
    assert AdministratorLog.objects.filter(message="Sent provisioning email").count() == 3


def test_a_server_that_is_not_there_is_given_up_soon(api: Api) -> None:
    made = template(api, smtp(api, free_port()))
    tried: list[int] = []

    class Counting(Postman):
        def _one(self, mail: Any) -> str:
            tried.append(1)
            return super()._one(mail)

    rows = [Conference.objects.create(name=str(n), primary_owner_email_address="p@x.test") for n in range(6)]
    report = mailing.Mailing(made, lambda server: Counting(server)).send([(row.pk, "created") for row in rows])
    assert (report.sent, len(report.problems), len(tried)) == (0, 6, 3)
    assert "refused" in report.problems[5]

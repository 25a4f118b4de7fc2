"""Large files are taken from those only who are somebody, not from all who say so."""

from __future__ import annotations

import base64
from typing import Any

from rostra.management.accounts.admission import is_known
from rostra.management.accounts.models import Account
from rostra.management.limits import GENERAL, Limits
from tests.management import people
from tests.management.accounts.test_access import basic, browse
from tests.management.conftest import Api

UPLOAD = "/admin/utilities/backup/restore/"


def scope(**headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": UPLOAD, "query_string": b"", "headers": named}


def test_by_name_and_password(api: Api) -> None:
    people.account("sender", "use_api")
    people.account("nobody")
    assert is_known(scope(authorization=basic("sender")))
    assert not is_known(scope(authorization=basic("nobody")))
    wrong = base64.b64encode(b"sender:wrong").decode()
    for claim in (f"Basic {wrong}", "Basic x", "Bearer x", "x", ""):
        assert not is_known(scope(authorization=claim)), claim


def test_by_session(api: Api) -> None:
    account = people.account("reader", "use_web")
    cookie = browse(account).cookies["sessionid"].value
    assert is_known(scope(cookie=f"a=b; sessionid={cookie}"))
    for claim in ("sessionid=x", "sessionid=", "a=b", "sessionid=\x01"):
        assert not is_known(scope(cookie=claim)), claim
    Account.objects.filter(pk=account.pk).update(is_active=False)
    assert not is_known(scope(cookie=f"sessionid={cookie}"))


async def test_nothing_is_read_of_what_nobody_sends() -> None:
    sent: list[Any] = []

    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("it was let through")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Limits(application, ((UPLOAD, 4 * GENERAL),), known=lambda _: False)
    await app(scope(cookie="sessionid=x", content_length=str(2 * GENERAL)), receive, send)
    await app(scope(cookie="sessionid=x", transfer_encoding="chunked"), receive, send)
    assert [message["status"] for message in sent if "status" in message] == [401, 401]

"""Too few NTP servers are told of where it matters."""

from __future__ import annotations

import pytest
from django.test import Client

from rostra.configuration.models import ManagementVM, NtpServer


@pytest.mark.spec("SYS-010")
@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "has no NTP server."), (1, "has 1 NTP server only."), (2, "has 2 NTP servers only."), (3, "")],
)
def test_deploying_a_node_warns_without_clocks(browser: Client, count: int, said: str) -> None:
    ManagementVM.objects.get().ntp_servers.set(NtpServer.objects.all()[:count])
    page = browser.get("/admin/configuration/workervm/add/").content.decode()
    assert ("Management Node has" in page) is bool(said)
    assert said in page


@pytest.mark.spec("SYS-012")
def test_the_page_of_ntp_servers_recommends_three(browser: Client) -> None:
    path, said = "/admin/configuration/ntpserver/", "three different NTP servers or pools"
    assert said not in browser.get(path).content.decode()
    NtpServer.objects.filter(pk__in=list(NtpServer.objects.values_list("pk", flat=True)[2:])).delete()
    assert said in browser.get(path).content.decode()

"""What policy adds to the time between INVITE and 200: a server asked twice and two scripts run for each call.

The server is on this machine and answers at once; it leaves every call as configured, so that both kinds of calls do
the same. Reference in the same run: the same two requests made by a bare HTTP client over one connection.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tests.e2e.platform import Platform, fresh_environment, wait_until
from tests.policy.web import Reply, in_thread, said

from bench.sip_caller import SipCaller

ROUNDS = 60
URI = "/api/admin/configuration/v1"
SCRIPT = (
    '{% if service_config %}{"action": "continue", "result": {{ service_config|pex_update({"service_tag": '
    'call_info.remote_address|pex_hash|pex_tail(4)})|pex_to_json }}}{% else %}{"action": "reject"}{% endif %}'
)
PLACES = '{"result": {{ suggested_media_overflow_locations|pex_to_json }}}'


def answer(path: str, parameters: dict[str, str]) -> Reply:
    """Go on as configured."""
    return said({"status": "success", "action": "continue", "result": {}})


def measured(call: Callable[[int], float]) -> list[float]:
    """Milliseconds of each round; the first few warm up."""
    return [call(number) for number in range(ROUNDS + 5)][5:]


def told(name: str, found: list[float]) -> None:
    cuts = statistics.quantiles(found, n=20)
    print(f"{name:<36} least {min(found):7.2f} ms   p50 {statistics.median(found):7.2f} ms   p95 {cuts[-1]:7.2f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, in_thread(answer) as server:
        platform = Platform(fresh_environment(Path(home))).start()
        try:
            caller = SipCaller("127.0.0.1", "meet.demo", platform.environment.sip_port)
            resident = SipCaller("127.0.0.1", "meet.demo", platform.environment.sip_port)
            resident.stay("resident")  # else each call would begin a media process, or find one that ends
            before = measured(lambda number: caller.call(f"a{number}"))
            bound(platform, server.url)
            wait_until(lambda: caller.call("probe") > 0 and bool(server.requests), 15, "policy is not asked")
            bare: list[float] = []
            with httpx.Client(trust_env=False) as client:
                after = measured(lambda number: bare.append(twice(client, server.url)) or caller.call(f"b{number}"))
        finally:
            platform.stop()
    told("INVITE to 200, as configured", before)
    told("INVITE to 200, server and scripts", after)
    told("two bare HTTP requests (reference)", bare)
    least, added = min(after) - min(before), statistics.median(after) - statistics.median(before)
    print(f"{'added after dialling':<36} least {least:7.2f} ms   p50 {added:7.2f} ms")
    print(f"{'ratio to the bare requests (p50)':<36} {added / statistics.median(bare):.2f}")


def bound(platform: Platform, url: str) -> None:
    """Have the platform's location ask the server, and run the scripts."""
    profile = {
        "name": "Bench", "url": url, "enable_service_lookup": True, "enable_media_location_lookup": True,
        "enable_internal_service_policy": True, "internal_service_policy_template": SCRIPT,
        "enable_internal_media_location_policy": True, "internal_media_location_policy_template": PLACES,
    }  # fmt: skip
    with platform.api() as api:
        made = api.post(f"{URI}/policy_server/", json=profile)
        made.raise_for_status()
        location = api.get(f"{URI}/system_location/").json()["objects"][0]["resource_uri"]
        api.patch(location, json={"policy_server": urlsplit(made.headers["Location"]).path}).raise_for_status()


def twice(client: httpx.Client, url: str) -> float:
    """Milliseconds of both requests."""
    began = time.perf_counter()
    client.get(f"{url}/policy/v1/service/configuration").raise_for_status()
    client.get(f"{url}/policy/v1/participant/location").raise_for_status()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()

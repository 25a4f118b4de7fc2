"""The web app's files, health, metrics, the API's description."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from rostra.clientapi.app import create_app
from rostra.environment import Environment

from .driver import Api
from .fakes import FakeSwitchboard

PAGES = [
    "/",
    "/webapp",
    "/webapp/",
    "/webapp/conference/meet.demo",
    "/conference/meet.demo",
    "/conference/a@b.c?pin=1",
    "/webapp/m/meet.demo",
    "/webapp3/m/meet.demo",
    "/webapp/home",
    "/m/meet.demo",
]


@pytest.mark.parametrize("path", PAGES)
async def test_the_app_answers_deep_links(path: str, api: Api) -> None:
    answer = await api.http.get(path)
    assert answer.status_code == 200
    assert "<title>app</title>" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "'unsafe-eval'" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "camera=(self)" in answer.headers["permissions-policy"]


FILES = [
    ("/assets/main-abc123.js", "text/javascript", True),
    ("/assets/style-abc123.css", "text/css", True),
    ("/icon.svg", "image/svg+xml", False),
]


@pytest.mark.parametrize(("path", "kind", "lasting"), FILES)
async def test_files_have_type_and_caching(path: str, kind: str, lasting: bool, api: Api) -> None:
    answer = await api.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert ("immutable" in answer.headers["cache-control"]) is lasting
    again = await api.http.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await api.http.head(path)).status_code == 200
    assert (await api.http.post(path)).status_code == 405


OUTSIDE = ["/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt", "/assets/", "/nothing.js", "/%00"]


@pytest.mark.parametrize("path", OUTSIDE)
async def test_nothing_else_is_served(path: str, api: Api) -> None:
    url = httpx.URL("https://node.test/").copy_with(raw_path=path.encode())
    answer = await api.http.get(url)
    assert answer.status_code == 404
    assert "not for the web" not in answer.text


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/client/v1/x", "/api/admin/x", "/api/client/v2"])
async def test_unknown_apis_get_an_envelope(path: str, api: Api) -> None:
    answer = await api.http.get(path)
    assert (answer.status_code, answer.json()) == (404, {"status": "failed", "result": "404 Not Found"})


async def test_without_a_built_app_the_api_still_works(
    switchboard: FakeSwitchboard, environment: Environment, tmp_path: Path
) -> None:
    app = create_app(switchboard, environment, tmp_path / "missing")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://node.test") as http:
        page = await http.get("/")
        assert page.status_code == 503
        assert "make" in page.text
        assert (await http.get("/assets/x.js")).status_code == 404
        assert (await http.get("/healthz")).status_code == 200
        await Api(http).join()
    await app.state.client_api.close()


async def test_health(api: Api, switchboard: FakeSwitchboard) -> None:
    assert (await api.http.get("/healthz")).status_code == 200
    switchboard.ready = False
    answer = await api.http.get("/healthz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"


async def test_metrics_are_for_this_machine_only(api: Api, app: Starlette) -> None:
    await api.join()
    local = await api.http.get("/metrics")
    assert local.status_code == 200
    joined = 'rostra_clientapi_requests_total{endpoint="conferences/{alias}/request_token",status="200"}'
    assert joined in local.text
    assert (await api.http.get("/metrics", headers={"x-forwarded-for": "192.0.2.1"})).status_code == 403
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"):
        transport = httpx.ASGITransport(app, client=(address, 5))
        async with httpx.AsyncClient(transport=transport, base_url="https://node.test") as http:
            assert (await http.get("/metrics")).status_code == 403


async def test_the_description_lists_every_endpoint(api: Api) -> None:
    answer = await api.http.get("/api/client/v2/openapi.json")
    described = answer.json()
    assert described["openapi"] == "3.1.0"
    joining = described["paths"]["/api/client/v2/conferences/{alias}/request_token"]["post"]
    assert set(joining["responses"]) == {"200", "403", "404", "405", "415", "502", "503", "504", "529"}
    assert "TokenGranted" in described["components"]["schemas"]
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) > 80


BRANDED = {
    "brand.css": b".brand-logo {}",
    "settings.js": b"alert(1)",
    "locales/it.json": b"{}",
    "evil.html": b"<script>",
}


@pytest.mark.spec("CONF-038")
async def test_the_branding_is_served_and_its_settings_never_as_a_program(
    switchboard: FakeSwitchboard, environment: Environment, web_root: Path
) -> None:
    app = create_app(switchboard, environment, web_root, branding=lambda slug: BRANDED)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://node.test") as http:
        listed = await http.get("/branding/index.json")
        assert listed.json() == {"files": ["brand.css", "locales/it.json", "settings.js"]}
        style = await http.get("/branding/brand.css")
        assert style.content == BRANDED["brand.css"]
        assert style.headers["content-type"].startswith("text/css")
        assert style.headers["cache-control"] == "no-cache"
        again = await http.get("/branding/brand.css", headers={"if-none-match": style.headers["etag"]})
        assert again.status_code == 304
        settings = await http.get("/branding/settings.js")
        assert settings.headers["content-type"].startswith("text/plain")
        assert settings.headers["x-content-type-options"] == "nosniff"
        assert (await http.get("/branding/evil.html")).status_code == 404
        assert (await http.get("/branding/nothing.png")).status_code == 404
    await app.state.client_api.close()


async def test_without_a_branding_there_are_no_files(api: Api) -> None:
    assert (await api.http.get("/branding/index.json")).json() == {"files": []}


async def test_further_paths_lead_to_the_app_with_a_branding_of_their_own(
    switchboard: FakeSwitchboard, environment: Environment, web_root: Path
) -> None:
    named = {"staff": BRANDED, "webapp2": {"brand.css": b"two"}}
    known = {"staff": True, "webapp2": True, "webapp3": False}
    app = create_app(
        switchboard, environment, web_root, branding=lambda slug: named.get(slug, {}), leads_here=known.get
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://node.test") as http:
        for path in ("/staff", "/staff/", "/staff/conference/meet.demo", "/webapp2/m/x", "/webapp/"):
            page = await http.get(path)
            assert "<title>app</title>" in page.text, path
        assert (await http.get("/staff/branding/brand.css")).content == BRANDED["brand.css"]
        assert (await http.get("/webapp2/branding/brand.css")).content == b"two"
        assert (await http.get("/webapp/branding/index.json")).json() == {"files": []}
        for path in ("/webapp3/m/x", "/nobody/conference/x", "/staff/branding/nothing.png"):
            assert (await http.get(path)).status_code == 404, path
    await app.state.client_api.close()

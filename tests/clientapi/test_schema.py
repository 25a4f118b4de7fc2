"""Requests generated from the API's own description: no 5xx, and answers as described."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from rostra.clientapi.app import create_app
from rostra.environment import Environment
from tests.length import LONG

from .driver import Api
from .fakes import FakeSwitchboard, service

APP = create_app(FakeSwitchboard(service(1, "Demo", "meet.demo")), Environment(), Path("no-web-app"))


# An event stream never ends, which the generated client would wait for.
schema = schemathesis.openapi.from_asgi("/api/client/v2/openapi.json", APP).exclude(path_regex="/events$")


async def joined() -> tuple[str, str, str]:
    """Token, participant and call of somebody who may do everything."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="https://node.test") as http:
        user = await Api(http).join()
        return user.token, user.uuid, await user.call()


@schema.parametrize()
@settings(
    max_examples=3 if LONG else 2,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests(case: schemathesis.Case) -> None:
    token, participant, call = asyncio.run(joined())
    known = {"alias": "meet.demo", "participant": participant, "call": call}
    case.path_parameters = {**(case.path_parameters or {}), **{k: v for k, v in known.items() if k in case.path}}
    case.call_and_validate(
        headers={"token": token},
        checks=(not_a_server_error, response_schema_conformance, content_type_conformance),
    )

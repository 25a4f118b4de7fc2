"""The OpenAPI document, and requests made up from it: nothing may end in a 5xx."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.length import LONG

from .conftest import Api

_RUN = """
import base64, sys
import schemathesis
from hypothesis import HealthCheck, settings as limits, seed
from tests.management import conftest
from django.core.wsgi import get_wsgi_application
from rostra.management.accounts.models import AuthenticationSettings
from rostra.management.prepare import prepare

conftest.use(conftest.settings.database("", conftest.Path(sys.argv[1])) | {"CONN_MAX_AGE": None})
prepare(conftest.ENVIRONMENT)
headers = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}
api = schemathesis.openapi.from_wsgi("/api/admin/openapi.json", get_wsgi_application(), headers=headers)
count, bad = 0, []
for result in api.get_all_operations():
    operation = result.ok()
    @seed(20261121)
    @limits(max_examples=int(sys.argv[2]), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @__import__("hypothesis").given(case=operation.as_strategy())
    def one(case):
        global count
        count += 1
        AuthenticationSettings.objects.update(api_oauth2_disable_basic=False)  # else nothing is heard any more
        response = case.call(headers=headers)
        if response.status_code >= 500 or response.status_code == 401:
            bad.append((response.status_code, case.method, case.formatted_path, repr(case.body)[:300], case.query))
        elif response.status_code == 200:
            case.validate_response(response, checks=[schemathesis.checks.CHECKS.get_one("response_schema_conformance")])
    one()
print(count, "requests")
for entry in bad[:5]:
    print(entry)
sys.exit(bool(bad))
"""


def test_document_names_every_resource_and_method(api: Api) -> None:
    document = api.read("/api/admin/openapi.json")
    assert document["openapi"] == "3.1.0"
    root = api.read("/api/admin/configuration/v1/")
    for name, entry in root.items():
        schema = api.read(entry["schema"])
        assert set(document["paths"][entry["list_endpoint"]]) == set(schema["allowed_list_http_methods"])
        detail = set(document["paths"][f"{entry['list_endpoint']}{{id}}/"]) - {"parameters"}
        assert detail == set(schema["allowed_detail_http_methods"])
        assert set(document["components"]["schemas"][name]["properties"]) <= set(schema["fields"])
    references = set(_references(document))
    assert references <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def test_made_up_requests_never_end_in_a_server_error(tmp_path: Path) -> None:
    # In a process of its own: the generator's plug-ins for pytest and its warnings stay out of this one.
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ROSTRA_"))}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path / "management.db"), "2" if LONG else "1"],
        cwd=root,
        env=environment | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert int(done.stdout.split()[-2]) > 500

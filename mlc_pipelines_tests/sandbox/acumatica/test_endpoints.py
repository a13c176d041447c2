"""Endpoint list, versions, schema, virtual directory. Reference: acumatica 2."""

import httpx
import pytest
from starlette.applications import Starlette

from mlc_pipelines.sandbox.acumatica import Site, routes


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_list_of_endpoints_needs_no_sign_in(rig, slash):
    """Versions stand side by side; links hold the virtual directory."""
    answer = rig.http.get(f"{rig.base}/entity{slash}").json()
    assert "25.200.0248" == answer["version"]["acumaticaBuildVersion"]
    assert ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"] == [
        one["version"] for one in answer["endpoints"]
    ]
    assert "/AcumaticaERP/entity/Default/20.200.001/" == answer["endpoints"][0]["href"]
    assert answer == rig.http.get(f"{rig.base}/entity", headers=rig.signed_in()).json()


@pytest.mark.parametrize("version", ["20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001"])
def test_every_listed_version_serves_the_same_books(rig, version):
    """The version need not equal the release."""
    response = rig.http.get(f"{rig.base}/entity/Default/{version}/Ledger", headers=rig.signed_in())
    assert 4 == len(response.json())


@pytest.mark.parametrize("path", ["Default/25.100.001/Ledger", "Other/24.200.001/Ledger", "Default/24.200.001/Nothing"])
def test_an_unknown_version_endpoint_or_entity_is_a_404(rig, path):
    """What its body is, is not known: JSON, a page or nothing."""
    shapes = []
    for kind in ("json", "html", "empty"):
        rig.site.set_switches({"unknown_version_body": kind})
        response = rig.http.get(f"{rig.base}/entity/{path}", headers=rig.signed_in())
        assert 404 == response.status_code
        shapes.append((response.headers.get("content-type", ""), response.content[:10]))
    assert ("application/json; charset=utf-8", b'{"message"') == shapes[0]
    assert shapes[1][0].startswith("text/html")
    assert b"" == shapes[2][1]


def test_a_version_that_the_site_drops_is_gone(rig):
    """As after an upgrade that no longer serves it."""
    rig.rows("Ledger")
    rig.site.set_switches({"versions": ["25.200.001"]})
    assert 404 == rig.get("Ledger").status_code


@pytest.mark.parametrize(("version", "kind"), [("24.200.001", "openapi"), ("25.200.001", "openapi")])
def test_new_versions_publish_openapi_3(rig, version, kind):
    """Parameters by reference; every reference leads somewhere; each operation has tag, id and answers."""
    told = rig.http.get(f"{rig.base}/entity/Default/{version}/swagger.json?company=Meridian").json()
    assert ("3.0.1", f"Default/{version}") == (told[kind], told["info"]["title"])
    assert f"{rig.base}/entity/Default/{version}" == told["servers"][0]["url"]
    for path in told["paths"].values():
        for operation in path.values():
            assert all(set(parameter) == {"$ref"} for parameter in operation["parameters"])
            assert {"tags", "operationId", "responses"} <= set(operation)
    assert [] == lost_references(told)


@pytest.mark.parametrize("version", ["20.200.001", "22.200.001", "23.200.001"])
def test_old_versions_publish_swagger_2(rig, version):
    """Definitions, host and basePath; parameters written out."""
    told = rig.http.get(f"{rig.base}/entity/Default/{version}/swagger.json").json()
    assert ("2.0", f"/AcumaticaERP/entity/Default/{version}") == (told["swagger"], told["basePath"])
    assert rig.base.split("/")[2] == told["host"]
    names = [parameter["name"] for parameter in told["paths"]["/Ledger"]["get"]["parameters"]]
    assert ["$select", "$filter", "$expand", "$custom", "$skip", "$top"] == names
    assert [] == lost_references(told)


def test_the_schema_names_what_a_record_holds(rig):
    """Every field of a record stands in the schema under its value type, and the other way round."""
    told = rig.http.get(f"{rig.entity}/swagger.json").json()["components"]["schemas"]
    record = rig.rows("JournalTransaction", expand="Details", top=1)[0]
    bare = {"id", "rowNumber", "note", "custom", "_links"}
    for schema, row in (("JournalTransaction", record), ("JournalTransactionDetail", record["Details"][0])):
        fields = told[schema]["allOf"][1]["properties"]
        assert set(fields) == set(row) - bare
    assert {"$ref": "#/components/schemas/DecimalValue"} == fields["DebitAmount"]


def test_the_virtual_directory_may_be_absent(rig, stage):
    """A site can stand at the root of its host."""
    site = Site(rig.site.books, rig.clock, directory="")
    stage.app = Starlette(routes=routes(site))
    answer = httpx.get(f"{stage.url}/entity").json()
    assert "/entity/Default/20.200.001/" == answer["endpoints"][0]["href"]


def test_a_write_to_a_stored_entity_is_refused(rig):
    """Only journals are written here: what else is put is refused, and not silently dropped."""
    response = rig.http.put(f"{rig.entity}/Account", json={}, headers=rig.signed_in())
    assert 405 == response.status_code


def lost_references(told):
    found, lost = [told], []
    while found:
        node = found.pop()
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        found.extend(children)
        target = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(target, str) and not leads_somewhere(told, target):
            lost.append(target)
    return lost


def leads_somewhere(told, reference):
    node = told
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node is not None

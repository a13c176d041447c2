"""What a service tells of itself. Reference: epicor 1.1."""

from xml.etree import ElementTree


def test_a_service_lists_its_sets(rig):
    """The service document names the sets, the top one first."""
    said = rig.ask("Erp.BO.FiscalCalSvc/").json()
    assert ["FiscalCals", "FiscalYrs", "FiscalPers"] == [one["name"] for one in said["value"]]
    assert said == rig.ask("Erp.BO.FiscalCalSvc").json()


def test_metadata_is_json_for_a_json_accept(rig):
    """JSON CSDL: no $Type for texts, no `$Nullable: false`, no $MaxLength; one document per service."""
    said = rig.ask("Erp.BO.GLBookSvc/$metadata").json()
    book = said["Erp"]["GLBook"]
    assert ["Company", "BookID"] == book["$Key"]
    assert "$Type" not in book["Description"]
    assert {"$Type": "Edm.Boolean"} == book["MainBook"]
    assert {"$Type": "Edm.Int64"} == book["SysRevID"]
    assert {"$Kind", "$Key", "$Type", "$Nullable"} >= {
        name for one in book.values() if isinstance(one, dict) for name in one
    }
    assert not [one for one in book.values() if isinstance(one, dict) and one.get("$Nullable") is False]
    assert {"$Collection": True, "$Type": "Erp.GLBook"} == said["Default"]["Container"]["GLBooks"]
    assert ["GLBook"] == list(said["Erp"])


def test_rows_and_metadata_agree(rig):
    """Every column of a row is in the metadata, and the other way round."""
    said = rig.ask("Erp.BO.GLJrnDtlSvc/$metadata").json()["Erp"]["GLJrnDtl"]
    assert set(rig.rows("Erp.BO.GLJrnDtlSvc/GLJrnDtls", top=1)[0]) == {
        name for name in said if not name.startswith("$")
    }


def test_metadata_is_xml_otherwise(rig):
    """Without a JSON Accept, or by switch, the same comes as XML."""
    url = f"{rig.base}/api/v2/odata/IVM/Erp.BO.FiscalCalSvc/$metadata"
    answer = rig.http.get(url, headers={"x-api-key": rig.site.api_key, "Accept": "*/*"}, auth=rig.login)
    names = [one.get("Name") for one in ElementTree.fromstring(answer.text).iter() if one.tag.endswith("}EntityType")]
    assert ["FiscalCal", "FiscalYr", "FiscalPer"] == names
    rig.switch(metadata_form="xml")
    assert "application/xml" in rig.ask("Erp.BO.FiscalCalSvc/$metadata").headers["content-type"]

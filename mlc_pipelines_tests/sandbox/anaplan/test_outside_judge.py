"""A client that we did not write works with the model's data, unmodified, under Anaplan's own host names, and gets the right result.

anaplan-sdk in both forms: each story is told once, with `settled` around every call, and run with the blocking and with
the asynchronous client. Reference: anaplan 12.1, 12.3 [C run].
"""

import asyncio
import csv
import inspect
import io
from decimal import Decimal

import anaplan_sdk
import pytest
from anaplan_sdk.exceptions import AnaplanActionError, AnaplanException, InvalidIdentifierException

LOAD, ACCOUNTS_LOAD, CENTERS_LOAD, BY_VERSION = 112000000001, 112000000002, 112000000003, 112000000004
FILE, ACCOUNTS_FILE, CENTERS_FILE = 113000000001, 113000000002, 113000000003
EXPORT, DELETE_INACTIVE, NIGHTLY, LOAD_ALL = 116000000001, 117000000002, 118000000001, 118000000002
ACCOUNTS, CENTERS, MODULE, VIEW = 101000000001, 101000000002, 102000000001, 207000000001
TIME, VERSIONS, ACTUAL_ADJUSTED = 20000000003, 20000000020, 107000000002
HEADER = "Account,Cost Center,Period,Version,Amount\n"


async def settled(result):
    """What a call gives, whichever of the two clients made it."""
    return await result if inspect.isawaitable(result) else result


@pytest.fixture(params=[anaplan_sdk.Client, anaplan_sdk.AsyncClient], ids=["blocking", "async"])
def told(request, anaplan_internet):
    """Runs a story with a client of the model, logged in by password."""
    info = anaplan_internet.sandbox.info["anaplan"]

    def run(story, **more):
        client = request.param(
            info["workspace_id"],
            info["model_id"],
            user_email=info["username"],
            password=info["password"],
            **{"status_poll_delay": 0, **more},
        )
        return asyncio.run(story(client))

    return run


@pytest.fixture
def tenant(anaplan_internet):
    """What the sandbox really holds."""
    return anaplan_internet.sandbox.tenant


@pytest.fixture
def held(tenant):
    """The cells of the module: (account, cost center, period, version) -> amount."""

    def read():
        names = ("account", "cost_center", "period", "version")
        return {tuple(cell[name] for name in names): Decimal(cell["amount"]) for cell in tenant.truth_cells()}

    return read


def _figures():
    """A hundred cells and some, with a note that no chunk border spares, as a file; and what the module must hold then."""
    accounts, months = ("A6100", "A6110", "A0010", "ANA"), ("Jul 25", "Aug 25", "Sep 25")
    expected = {
        (account, f"CC_0{center}0", month, "Actual"): Decimal(f"{center}{place}.{center}5")
        for place, account in enumerate(accounts)
        for center in range(1, 10)
        for month in months
    }
    rows = "".join(f"{','.join(key)},{amount},旅費交通費 Genève\n" for key, amount in expected.items())
    return (HEADER.strip() + ",Note\n" + rows).encode(), expected


def test_it_finds_everything(told, tenant):
    """Every kind of object, by name, in the shapes that the client insists on."""

    async def story(client):
        names = {
            "workspaces": await settled(client.get_workspaces()),
            "models": await settled(client.get_models()),
            "files": await settled(client.get_files()),
            "exports": await settled(client.get_exports()),
            "processes": await settled(client.get_processes()),
            "actions": await settled(client.get_actions()),
            "lists": await settled(client.tr.get_lists()),
            "modules": await settled(client.tr.get_modules()),
            "views": await settled(client.tr.get_views()),
            "line items": await settled(client.tr.get_line_items(MODULE)),
        }
        found = {kind: [one.name for one in objects] for kind, objects in names.items()}
        assert {
            "workspaces": ["Finance", "Operations"],
            "models": ["Meridian FP&A", "Meridian FP&A (dev)", "Ironvale FP&A"],
            "exports": [
                "Export GL Actuals",
                "Export Approved Budget",
                "Export Approved Forecast",
                "Export Plan Approvals",
            ],
            "processes": ["Nightly GL Actuals", "Load All"],
            "actions": ["Set Current Period", "Delete Inactive Accounts", "Clear Actuals"],
            "lists": ["Accounts", "Cost Centers", "Plan Versions"],
            "modules": ["GL01 Actuals", "PL01 Plan", "PL00 Approvals"],
            "views": [
                "GL01 Actuals",
                "PL01 Plan",
                "PL00 Approvals",
                "GL01 Actuals.Integration",
                "PL01 Plan.For the ERP",
                "PL00 Approvals.For the ERP",
            ],
            "line items": ["Amount", "Amount YTD"],
        }.items() <= found.items()
        assert 9 == len(found["files"])
        people = await settled(client.audit.get_users(search_pattern="paul"))
        assert ["planner@meridian.example"] == [one.email for one in people]
        imports = {one.name: (one.type, one.file_id) for one in await settled(client.get_imports(sort_by="name"))}
        assert ("MODULE_DATA", FILE) == imports["Load GL Actuals"]
        assert ("HIERARCHY_DATA", ACCOUNTS_FILE) == imports["Load Accounts"]
        metadata = await settled(client.tr.get_list_metadata(ACCOUNTS))
        assert len(tenant.truth_members("Accounts")) == metadata.item_count
        assert "Sep 26" == (await settled(client.tr.set_current_period("2026-09-15"))).period_text
        assert "Sep 26" == (await settled(client.tr.get_current_period())).period_text
        calendar, status = await settled(client.tr.get_model_calendar()), await settled(client.tr.get_model_status())
        assert ("FY27", "Open") == (calendar.fiscal_year.year, status.current_step)

    told(story)


def test_it_uploads_in_chunks_and_imports(told, held, tenant):
    """Chunks cut anywhere, also inside a letter; every cell is there afterwards."""
    content, expected = _figures()

    async def story(client):
        task = await settled(client.upload_and_import(FILE, content, LOAD))
        assert ("COMPLETE", True, False) == (
            task.task_state,
            task.result.successful,
            task.result.failure_dump_available,
        )
        assert ["lineItemRowsProcessed"] == [one.type for one in task.result.details]
        assert content == await settled(client.get_file(FILE))
        assert [task.id] == [one.id for one in await settled(client.get_task_summaries(LOAD))]

    told(story, upload_chunk_size=1009)
    (upload,) = tenant.log()["uploads"]
    assert -(-len(content) // 1009) == upload["chunks"] > 5
    assert expected == held()


def test_it_uploads_one_chunk_after_the_other(anaplan_internet, held):
    """As the blocking client can be told to."""
    info, (content, expected) = anaplan_internet.sandbox.info["anaplan"], _figures()
    client = anaplan_sdk.Client(
        info["workspace_id"],
        info["model_id"],
        user_email=info["username"],
        password=info["password"],
        status_poll_delay=0,
        upload_chunk_size=1009,
        upload_parallel=False,
    )
    client.upload_and_import(FILE, content, LOAD)
    assert expected == held()


def test_it_uploads_a_stream(told, held):
    """The number of chunks is not known before the last one."""
    content, expected = _figures()

    async def story(client):
        await settled(client.upload_file_stream(FILE, (content[at : at + 1000] for at in range(0, len(content), 1000))))
        await settled(client.run_action(LOAD))

    told(story)
    assert expected == held()


def test_it_runs_a_process(told, held, tenant):
    """Accounts, cost centers, figures: each step finds what the one before has made."""

    async def story(client):
        await settled(
            client.upload_file(ACCOUNTS_FILE, "Code,Name,Parent,Account Type,Active\nA7770,Royalties,TRAVEL,,true\n")
        )
        await settled(
            client.upload_file(CENTERS_FILE, "Code,Name,Parent,Short Name,Capacity FTE\nCC_130,Boise,,Boise,3\n")
        )
        await settled(client.upload_file(FILE, HEADER + "A7770,CC_130,Jul 25,Actual,12.50\n"))
        task = await settled(client.run_action(LOAD_ALL))
        types = [[detail.type for detail in step.details] for step in task.result.nested_results]
        assert [["hierarchyRowsProcessed"], ["hierarchyRowsProcessed"], ["lineItemRowsProcessed"]] == types

    told(story)
    assert "A7770" in {one["code"] for one in tenant.truth_members("Accounts")}
    assert {("A7770", "CC_130", "Jul 25", "Actual"): Decimal("12.50")} == held()


def test_it_exports(told, held):
    """The file says what the module holds, whole or in chunks."""
    content, expected = _figures()

    async def story(client):
        await settled(client.upload_and_import(FILE, content, LOAD))
        return await settled(client.export_and_download(EXPORT))

    rows = csv.DictReader(io.StringIO(told(story).decode()))
    read = {(row["Account"], row["Cost Center"], row["Period"], row["Version"]): Decimal(row["Amount"]) for row in rows}
    assert expected == held()
    assert expected == {key: amount for key, amount in read.items() if key in expected}
    assert {Decimal(0)} >= {amount for key, amount in read.items() if key not in expected}


def test_it_reads_an_export_in_chunks(told, anaplan_internet):
    """Joined they are what one call gives."""
    content, _ = _figures()

    async def story(client):
        await settled(client.upload_and_import(FILE, content, LOAD))
        return await settled(client.export_and_download(EXPORT))

    whole = told(story)
    anaplan_internet.sandbox.set_switches(anaplan={"export_chunk_bytes": 1000})
    assert whole == told(story)


def test_it_changes_a_list(told, tenant):
    """Added, updated, deleted; what fails is told item by item."""

    async def story(client):
        before = len(await settled(client.tr.get_list_items(ACCOUNTS)))
        items = [
            {"code": "A7770", "name": "7770 Royalties", "parent": "TRAVEL", "properties": {"Active": "true"}},
            {"code": "A6100", "name": "Another"},
        ]
        added = await settled(client.tr.insert_list_items(ACCOUNTS, items))
        assert (1, 1, 2, [1]) == (added.added, added.ignored, added.total, [one.index for one in added.failures])
        updated = await settled(client.tr.update_list_items(ACCOUNTS, [{"code": "A7770", "name": "7770 Licences"}]))
        assert (1, 0, []) == (updated.updated, updated.ignored, updated.failures)
        by_code = {one.code: one for one in await settled(client.tr.get_list_items(ACCOUNTS))}
        assert ("7770 Licences", "TRAVEL", {"Active": "true"}, before + 1) == (
            by_code["A7770"].name,
            by_code["A7770"].parent,
            by_code["A7770"].properties,
            len(by_code),
        )
        looked_up = await settled(client.tr.lookup_dimension_items(ACCOUNTS, codes=["a7770", "A8880"]))
        assert ["A7770"] == [one.code for one in looked_up]
        assert "7770 Licences" in [one.name for one in await settled(client.tr.get_dimension_items(ACCOUNTS))]
        deleted = await settled(client.tr.delete_list_items(ACCOUNTS, [{"code": "A7770"}]))
        assert (1, []) == (deleted.deleted, deleted.failures)
        assert before == len(await settled(client.tr.get_dimension_items(ACCOUNTS)))

    told(story)
    assert "A7770" not in {one["code"] for one in tenant.truth_members("Accounts")}


def test_it_reads_views(told, tenant):
    """The saved view cell by cell, another page of it, a table, and its axes; months can be looked up."""
    for version, amount in (("Actual", "10.50"), ("Actual Adj", "-3")):
        tenant.edit_cell(("A6100", "CC_020", "Jul 25", version), Decimal(amount))

    async def story(client):
        info = await settled(client.tr.get_view_info(VIEW))
        assert ("GL01 Actuals.Integration", [ACCOUNTS, CENTERS], [TIME]) == (
            info.view_name,
            [one.id for one in info.rows],
            [one.id for one in info.columns],
        )
        for pages, text in ((None, "10.5"), ([(VERSIONS, ACTUAL_ADJUSTED)], "-3")):
            data = await settled(client.tr.get_view_data(VIEW, pages=pages))
            (row,) = data["rows"]
            month = data["columnCoordinates"].index(["Jul 25"])
            assert (["A6100", "CC_020"], text) == (row["rowCoordinates"], row["cells"][month])
        table = await settled(
            client.tr.get_view_data(
                VIEW, parent_module_id=MODULE, export_type="TABULAR_MULTI_COLUMN", data_format="text/csv"
            )
        )
        assert b"A6100,CC_020,Jul 25,Actual Adj,-3\n" == table.splitlines(keepends=True)[-1]
        months = await settled(client.tr.get_view_dimension_items(VIEW, TIME))
        assert (36, "Jul 24") == (len(months), months[0].name)
        labels = await settled(client.tr.lookup_dimension_items(TIME, names=["Jul 25", "Jul 30"]))
        assert ["Jul 25"] == [one.name for one in labels]
        dimensions = await settled(client.tr.get_line_item_dimensions(301000000001))
        assert [ACCOUNTS, CENTERS, TIME, VERSIONS] == [one.id for one in dimensions]

    told(story)


def test_it_writes_cells(told, held):
    """A number when all went well, the failures when not."""

    def cell(account, value):
        names = {"Accounts": account, "Cost Centers": "CC_020"}
        places = [{"dimensionName": name, "itemCode": code} for name, code in names.items()]
        places += [{"dimensionName": "Time", "itemName": "Jul 25"}, {"dimensionName": "Versions", "itemName": "Budget"}]
        return {"lineItemName": "Amount", "dimensions": places, "value": value}

    async def story(client):
        assert 2 == await settled(client.tr.update_module_data(MODULE, [cell("A6100", 7), cell("A6110", "8.25")]))
        body = await settled(client.tr.update_module_data(MODULE, [cell("T_TRAVEL", 1), cell("A7770", 1)]))
        assert ["cellIsCalculated", "cellIsInvalid"] == [one["failureType"] for one in body["failures"]]

    told(story)
    assert {
        ("A6100", "CC_020", "Jul 25", "Budget"): Decimal(7),
        ("A6110", "CC_020", "Jul 25", "Budget"): Decimal("8.25"),
    } == held()


def test_it_runs_a_delete(told, tenant):
    """An action without a file."""

    async def story(client):
        task = await settled(client.run_action(DELETE_INACTIVE))
        assert ["deleteFromSelectionSucceeded"] == [one.type for one in task.result.details]

    told(story)
    assert "A6990" not in {one["code"] for one in tenant.truth_members("Accounts")}


def test_it_is_refused_as_it_expects(told, held):
    """No file, no mapping parameter, an unknown view, a view that is too large, a list whose index is in use."""

    async def story(client):
        with pytest.raises(AnaplanActionError):
            await settled(client.run_action(LOAD))
        with pytest.raises(AnaplanException, match="Version"):
            await settled(client.run_action(BY_VERSION))
        with pytest.raises(InvalidIdentifierException):
            await settled(client.tr.get_view_data(207000000099))
        with pytest.raises(AnaplanException, match="not empty"):
            await settled(client.tr.reset_list_index(CENTERS))
        with pytest.raises(AnaplanException, match="1,000,000"):
            await settled(
                client.tr.get_view_data(
                    MODULE, parent_module_id=MODULE, export_type="TABULAR_MULTI_COLUMN", data_format="text/csv"
                )
            )

    told(story, retry_count=0)
    assert {} == held()

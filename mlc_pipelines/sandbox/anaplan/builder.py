"""What the model builder of the sample made: imports with their files, an export, other actions, processes, a saved view."""

from mlc_pipelines.sandbox.anaplan.built import (
    Action,
    ExportAction,
    ImportAction,
    ListImport,
    OtherAction,
    Process,
    View,
)
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, TIME_ID, VERSIONS_ID
from mlc_pipelines.sandbox.anaplan.files import DataFile

ACCOUNTS_LIST, CENTERS_LIST, MODULE, VIEW = "101000000001", "101000000002", "102000000001", "207000000001"
ACTUALS, ACCOUNTS, CENTERS, BY_VERSION, YEAR_TO_DATE = (f"11200000000{n}" for n in range(1, 6))
EXPORT = "116000000001"
SET_PERIOD, DELETE_INACTIVE, CLEAR_ACTUALS = (f"11700000000{n}" for n in range(1, 4))
NIGHTLY, LOAD_ALL = "118000000001", "118000000002"

KEY_COLUMNS = (("Account", "Accounts"), ("Cost Center", "Cost Centers"), ("Period", "Time"))
COLUMNS = (*KEY_COLUMNS, ("Version", "Versions"), ("Amount", "Amount"))
LIST_COLUMNS = (("Code", "Code"), ("Name", "Name"), ("Parent", "Parent"))
ACCOUNT_COLUMNS = (*LIST_COLUMNS, ("Account Type", "Account Type"), ("Active", "Active"))
CENTER_COLUMNS = (*LIST_COLUMNS, ("Short Name", "Short Name"), ("Capacity FTE", "Capacity FTE"))


def actions() -> list[Action]:
    """Everything that can be started, in the order of the lists that show it."""
    by_version = (*KEY_COLUMNS, ("Amount", "Amount"))
    calculated = (*COLUMNS[:4], ("Amount YTD", "Amount YTD"))
    return [
        ImportAction(ACTUALS, "Load GL Actuals", _file(ACTUALS), MODULE, COLUMNS),
        ListImport(ACCOUNTS, "Load Accounts", _file(ACCOUNTS), ACCOUNTS_LIST, ACCOUNT_COLUMNS),
        ListImport(CENTERS, "Load Cost Centers", _file(CENTERS), CENTERS_LIST, CENTER_COLUMNS),
        ImportAction(
            BY_VERSION, "Load GL Actuals (ask version)", _file(BY_VERSION), MODULE, by_version, asks=("Versions",)
        ),
        ImportAction(YEAR_TO_DATE, "Load GL Actuals YTD", _file(YEAR_TO_DATE), MODULE, calculated),
        ExportAction(EXPORT, "Export GL Actuals", MODULE, ("Amount", "Amount YTD")),
        OtherAction(SET_PERIOD, "Set Current Period", "UPDATE_CURRENT_PERIOD"),
        OtherAction(DELETE_INACTIVE, "Delete Inactive Accounts", "DELETE_BY_SELECTION", "delete_inactive_accounts"),
        OtherAction(CLEAR_ACTUALS, "Clear Actuals", "BULK_COPY", "clear_actuals"),
        Process(NIGHTLY, "Nightly GL Actuals", (ACTUALS, SET_PERIOD, EXPORT)),
        Process(LOAD_ALL, "Load All", (ACCOUNTS, CENTERS, ACTUALS)),
    ]


def files() -> list[DataFile]:
    """One file for each import, named as its import saw it, and the output of the export."""
    names = {
        ACTUALS: "gl_actuals.csv",
        ACCOUNTS: "accounts.csv",
        CENTERS: "cost_centers.csv",
        BY_VERSION: "gl_actuals_by_version.csv",
        YEAR_TO_DATE: "gl_actuals_ytd.csv",
    }
    sources = [
        DataFile(one.file, names[one.id], tuple(header for header, _ in one.columns))
        for one in actions()
        if isinstance(one, ImportAction | ListImport)
    ]
    header = tuple(column for column, _ in COLUMNS)
    return [*sources, DataFile(EXPORT, "Export GL Actuals.csv", (*header, "Amount YTD"))]


def integration_view() -> View:
    """Leaves by month for the actual versions, line item Amount: what a connector reads back."""
    return View(
        id=VIEW,
        name="GL01 Actuals.Integration",
        module=MODULE,
        rows=(ACCOUNTS_LIST, CENTERS_LIST),
        columns=(TIME_ID,),
        pages=(VERSIONS_ID, LINE_ITEMS_ID),
        items=("Amount",),
        leaves_only=True,
        shown=((VERSIONS_ID, ("Actual", "Actual Adj")),),
        labels="setting",
        filtered=True,
    )


def _file(action: str) -> str:
    """The file of an import has the import's own number, in the range of files."""
    return "113" + action[3:]

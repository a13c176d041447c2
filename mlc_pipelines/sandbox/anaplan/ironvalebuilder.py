"""What the model builder of "Ironvale FP&A" made: two modules' imports, exports and views, imports of the lists, a process.

Ids are a model's own, so they stand for other things than in the models of the first company: 112000000002 loads vendor spend here.
"""

from mlc_pipelines.sandbox.anaplan.built import (
    Action,
    ExportAction,
    FileImport,
    ImportAction,
    ListImport,
    Process,
    View,
)
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, TIME_ID, VERSIONS_ID
from mlc_pipelines.sandbox.anaplan.files import DataFile

ACCOUNTS_LIST, CENTERS_LIST, VENDORS_LIST = (f"10100000000{n}" for n in range(1, 4))
ACTUALS_MODULE, SPEND_MODULE = "102000000001", "102000000002"
ACTUALS, SPEND, ACCOUNTS, CENTERS, VENDORS = (f"11200000000{n}" for n in range(1, 6))
ACTUALS_EXPORT, SPEND_EXPORT = "116000000001", "116000000002"
LOAD_ALL = "118000000001"
ACTUALS_VIEW, SPEND_VIEW = "207000000001", "207000000002"

KEY_COLUMNS = (("Account", "Accounts"), ("Cost Center", "Cost Centers"), ("Period", "Time"), ("Version", "Versions"))
ACTUALS_COLUMNS = (*KEY_COLUMNS, ("Amount", "Amount"))
SPEND_COLUMNS = (("Vendor", "Vendors"), *KEY_COLUMNS, ("Amount", "Spend"))
LIST_COLUMNS = (("Code", "Code"), ("Name", "Name"), ("Parent", "Parent"), ("Active", "Active"))

IMPORTS: tuple[FileImport, ...] = (
    ImportAction(ACTUALS, "Load GL Actuals", "113000000001", ACTUALS_MODULE, ACTUALS_COLUMNS),
    ImportAction(SPEND, "Load AP Spend", "113000000002", SPEND_MODULE, SPEND_COLUMNS),
    ListImport(ACCOUNTS, "Load Accounts", "113000000003", ACCOUNTS_LIST, LIST_COLUMNS),
    ListImport(CENTERS, "Load Cost Centers", "113000000004", CENTERS_LIST, LIST_COLUMNS),
    ListImport(VENDORS, "Load Vendors", "113000000005", VENDORS_LIST, LIST_COLUMNS),
)
EXPORTS = (
    ExportAction(ACTUALS_EXPORT, "Export GL Actuals", ACTUALS_MODULE, ("Amount",)),
    ExportAction(SPEND_EXPORT, "Export AP Spend", SPEND_MODULE, ("Spend",)),
)
PROCESSES = (Process(LOAD_ALL, "Load All", (ACCOUNTS, CENTERS, VENDORS, ACTUALS, SPEND)),)
FILE_NAMES = ("gl_actuals.csv", "ap_spend.csv", "accounts.csv", "cost_centers.csv", "vendors.csv")


def actions() -> list[Action]:
    """Everything that can be started, in the order of the lists that show it."""
    return [*IMPORTS, *EXPORTS, *PROCESSES]


def files() -> list[DataFile]:
    """One file for each import, named as its import saw it, and the output of each export."""
    sources = [
        DataFile(one.file, name, tuple(header for header, _ in one.columns))
        for one, name in zip(IMPORTS, FILE_NAMES, strict=True)
    ]
    keys = tuple(header for header, _ in KEY_COLUMNS)
    actuals = DataFile(ACTUALS_EXPORT, "Export GL Actuals.csv", (*keys, "Amount"))
    spend = DataFile(SPEND_EXPORT, "Export AP Spend.csv", ("Vendor", *keys, "Spend"))
    return [*sources, actuals, spend]


def views() -> list[View]:
    """Leaves by period for the actual versions: what a connector reads back. The one of AP01 is too wide for a single read."""
    rows = (ACCOUNTS_LIST, CENTERS_LIST)
    return [
        _integration_view(ACTUALS_VIEW, "GL01 Actuals.Integration", ACTUALS_MODULE, rows, "Amount"),
        _integration_view(SPEND_VIEW, "AP01 AP Spend.Integration", SPEND_MODULE, (VENDORS_LIST, *rows), "Spend"),
    ]


def _integration_view(view_id: str, name: str, module: str, rows: tuple[str, ...], item: str) -> View:
    return View(
        id=view_id,
        name=name,
        module=module,
        rows=rows,
        columns=(TIME_ID,),
        pages=(VERSIONS_ID, LINE_ITEMS_ID),
        items=(item,),
        leaves_only=True,
        shown=((VERSIONS_ID, ("Actual", "Actual Adj")),),
        labels="setting",
        filtered=True,
    )

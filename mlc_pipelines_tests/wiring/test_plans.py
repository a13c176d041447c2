"""What a connection file may say of plans on their way back, and how it is told what it may not."""

from pathlib import Path

import pytest

from mlc_pipelines.ledger.drafts import Destination, DraftLine, JournalDraft
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.issues import DELTA, REPLACE
from mlc_pipelines.wiring.connections import Named, folder, read_all, read_one
from mlc_pipelines.wiring.destinations import destination_of
from mlc_pipelines.wiring.ledgers import OpenBooks, books_read
from mlc_pipelines.wiring.people import who
from mlc_pipelines.wiring.routes import routes_of
from mlc_pipelines.wiring.tables import read_targets_file

ACUMATICA = (folder() / "demo.yaml").read_text()
EPICOR = (folder() / "demo_epicor.yaml").read_text()
BUDGET = "      version: Budget\n"
JOURNALS = "        ledger: PLAN\n        branch: HQ\n"
TARGETS = '        accounts: {member: "A{code}"}\n'


def written(place: Path, text: str, old: str, new: str, name: str = "own.yaml") -> Path:
    """A demo file with the first such place changed."""
    assert old in text
    file = place / name
    file.write_text(text.replace(old, new, 1))
    return file


@pytest.mark.parametrize(
    ("text", "old", "new", "field", "said"),
    [
        (ACUMATICA, JOURNALS, f"{JOURNALS}        budget_code: B1\n", "destination.budget_code", "is not known here"),
        (ACUMATICA, "kind: statistical_journal", "kind: journal", "destination.kind", "'statistical_journal'"),
        (ACUMATICA, "        kind: statistical_journal ", "        # ", "destination.kind", "is missing"),
        (ACUMATICA, BUDGET, f"{BUDGET}      rounding: up\n", "rounding", "'refuse' or 'last_period'"),
        (ACUMATICA, BUDGET, f"{BUDGET}      blank: delete\n", "blank", "'zero' or 'unchanged'"),
        (ACUMATICA, BUDGET, f"{BUDGET}      reissue: replace\n", "reissue", "'delta' or 'reverse'"),
        (ACUMATICA, BUDGET, f"{BUDGET}      lines_per_journal: 0\n", "lines_per_journal", "greater than or equal to 1"),
        (ACUMATICA, BUDGET, f'{BUDGET}      period_label: "{{month}}"\n', "period_label", "can be filled in"),
        (ACUMATICA, BUDGET, f"{BUDGET}      offset: {{account: '3990'}}\n", "offset.subaccount", "is missing"),
        (ACUMATICA, BUDGET, f"{BUDGET}      launch: always\n", "launch", "'by_person'"),
        (ACUMATICA, "by: list", "by: cell", "approval.by", "'list', 'view' or 'export'"),
        (ACUMATICA, TARGETS, TARGETS.replace("{code}", ""), "targets.accounts", "member is 'A': {code} must stand in"),
        (ACUMATICA, "{code}-000", "{code}-{code}", "targets.cost_centers", "{code} must stand in it once"),
        (ACUMATICA, TARGETS, "        accounts: {}\n", "targets.accounts", "give a pattern under `member`"),
        (ACUMATICA, "period: Period, version: Version, amount: Amount}\n      approval", "period: Amount, version: Version, amount: Amount}\n      approval", "columns", "two columns have the same name: Amount"),
        (EPICOR, "        journal_code: BU\n", "", "destination.journal_code", "is missing"),
        (EPICOR, "        journal_code: BU\n", "        journal_code: BU\n        branch: HQ\n", "destination.branch", "is not known here"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plan_is_told_by_line_field_and_remedy(
    tmp_path: Path, text: str, old: str, new: str, field: str, said: str
) -> None:
    """The line is that of the field in the file, or of the section that lacks it."""
    with pytest.raises(SetupError) as caught:
        read_one(file := written(tmp_path, text, old, new))
    assert f"attributes.plans.budget.{field}" in caught.value.what
    assert said in caught.value.what
    line = int(caught.value.what.partition("line ")[2].partition(":")[0])
    shown = file.read_text().splitlines()[line - 1]
    assert any(f"{name}:" in shown for name in f"budget.{field}".split(".")[-2:])
    assert f"Correct {file}, then run `mlc connections check`." == caught.value.next_step


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (ACUMATICA, f"statistical_journal          # never the actual ledger: the ERP is asked what PLAN is\n{JOURNALS}", "budget_figures\n        book: PLAN\n", "plans.budget.destination is budget_figures, which acumatica does not have"),
        (EPICOR, "budget_figures               # Kinetic's own budget of a book\n        book: MAIN\n        budget_code: FCST\n", "budget_articles\n        ledger: BUDGET\n", "plans.forecast.destination is budget_articles, which epicor does not have"),
        (ACUMATICA, BUDGET, "      version: Actual\n", "plans.budget.version is Actual, which takes actuals"),
        (ACUMATICA, BUDGET, "      version: Actual Adj\n", "plans.budget.version is Actual Adj, which takes actuals"),
        (ACUMATICA, BUDGET, "      version: Forecast\n", "two plans have the same version"),
        (ACUMATICA, BUDGET, f"{BUDGET}      launch: approved\n      mode: all_or_none\n", "so mode: all_or_none cannot hold"),
        (ACUMATICA, "    vendors:\n", "    budget_posting:\n", "extracts.budget_posting: this connection has another asset of that name"),
        (ACUMATICA, "    vendors:\n", "    approved_forecast:\n", "extracts.approved_forecast: this connection has another asset"),
        (ACUMATICA, "    budget:\n", "    Budget:\n", "plans.Budget"),
        (ACUMATICA, "    budget:\n", f"    {'b' * 31}:\n", f"plans.{'b' * 31}"),
    ],
)  # fmt: skip
def test_contradictions_between_a_plan_and_its_connection_are_told(
    tmp_path: Path, text: str, old: str, new: str, said: str
) -> None:
    """Another ERP's destination, a version that takes actuals, two plans of one version, taken and unfit names."""
    with pytest.raises(SetupError) as caught:
        read_one(written(tmp_path, text, old, new))
    assert "Connection file own.yaml cannot be used: line " in caught.value.what
    assert said in caught.value.what


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        (EPICOR, "offset: {account: '3990', subaccount: '|'}"),
        (ACUMATICA, "lines_per_journal: 100"),
        (ACUMATICA, "reissue: reverse"),
        (ACUMATICA, "mode: all_or_none"),
        (ACUMATICA, "post: true"),
        (EPICOR, "shared: true"),
    ],
)
def test_native_figures_take_no_settings_of_journals(tmp_path: Path, text: str, setting: str) -> None:
    """They are set by key: nothing balances, is cut, reversed, released or shared."""
    file = written(tmp_path, text, "      version: Forecast\n", f"      version: Forecast\n      {setting}\n")
    with pytest.raises(SetupError, match=r"sets budget figures by key, so nothing is done with") as caught:
        read_one(file)
    assert "attributes.plans.forecast" in caught.value.what
    assert setting.partition(":")[0] in caught.value.what


def test_two_periods_of_a_plan_never_share_a_label(tmp_path: Path) -> None:
    """Else the July of every year would be posted into one of them. Adjustment periods have none: nobody plans them."""
    file = written(tmp_path, ACUMATICA, BUDGET, f'{BUDGET}      period_label: "%b"\n')
    with pytest.raises(SetupError, match="Period FY2026-P01 has the same place as FY2025-P01") as caught:
        read_one(file)
    assert "label 'Jul', version 'Budget'" in caught.value.what
    assert f"Correct `plans.budget.period_label` in {file}." == caught.value.next_step
    good = written(tmp_path, ACUMATICA, BUDGET, f'{BUDGET}      period_label: "M{{number}} {{year}}"\n')
    assert "M{number} {year}" == routes_of(read_one(good), books("budget"))["budget"].period_label


def books(journals: str = "budget", tables: str = "forecast") -> OpenBooks:
    """Stand-ins for opened clients: a route only carries them."""
    return OpenBooks(object(), object(), journals={journals: object()}, tables={tables: object()})  # type: ignore[arg-type,dict-item]


def test_a_route_says_what_the_file_says() -> None:
    """What is not said of a plan has its declared value, and signs and labels are those of actuals."""
    named = read_one(folder() / "demo_epicor.yaml")
    routes = routes_of(named, books())
    budget, forecast = routes["budget"], routes["forecast"]
    assert ("P{number:02d} FY{yy}", {"Income": -1, "Liability": -1}) == (budget.period_label, budget.signs)
    assert ("3990", "|") == (budget.offset.account, budget.offset.subaccount)
    assert (DELTA, True, REPLACE, False) == (budget.reissue, budget.shared, forecast.reissue, forecast.shared)
    assert ("4010", "110|") == (budget.accounts.target_of("A4010"), budget.cost_centers.target_of("CC_110"))
    assert ("FY2027 Budget", "Approved") == (budget.evidence.member_of("FY2027"), budget.evidence.approved)
    assert ("refuse", "zero", "each", False) == (budget.rounding, budget.blank, budget.mode, budget.same_person)


def test_a_plan_is_written_either_as_journals_or_as_native_figures() -> None:
    """A route with both, or with neither, cannot be made."""
    named = read_one(folder() / "demo.yaml")
    for wrong in (books("forecast"), OpenBooks(object(), object()), books(tables="budget")):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="either as journals or as native figures"):
            routes_of(named, wrong)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,member\n", "must begin with the header member,target"),
        ("", "must begin with the header member,target"),
        ("member,target\nA1,6100\nA1,6200\n", "names member A1 twice: line 2 says 6100, line 3 says 6200"),
        ("member,target\nA1,\n", "Line 2 of the targets file targets.csv does not name a member and a target"),
        ("member,target\n,6100\n", "Line 2"),
        ("member,target\nA1\n", "Line 2"),
    ],
)
def test_a_targets_file_that_is_not_clear_is_refused_by_its_lines(tmp_path: Path, content: str, said: str) -> None:
    """Which of two targets was meant, nobody can tell."""
    (tmp_path / "targets.csv").write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        read_targets_file(tmp_path / "targets.csv")
    assert "Nothing was read or sent." == caught.value.holds
    assert caught.value.next_step


def test_a_targets_file_is_found_beside_the_connection_file(tmp_path: Path) -> None:
    """Codes stay texts, a mark at the front is no part of them; a missing file is told with the section that names it."""
    with_file = 'accounts: {member: "A{code}", file: targets.csv}'
    named = read_one(written(tmp_path, ACUMATICA, TARGETS.strip(), with_file))
    with pytest.raises(SetupError, match=r"targets file .*targets\.csv cannot be read \(No such file") as caught:
        routes_of(named, books())
    assert "Correct its name under `plans` in the connection file." == caught.value.next_step
    (tmp_path / "targets.csv").write_bytes("\ufeffmember,target\nA_POOL,0060\n".encode())
    accounts = routes_of(named, books())["budget"].accounts
    assert ["0060", "6100", ""] == [accounts.target_of(member) for member in ("A_POOL", "A6100", "B")]
    (tmp_path / "targets.csv").write_bytes(b"member,target\nA\xff,6100\n")
    with pytest.raises(DataError, match="is not CSV in UTF-8"):
        routes_of(named, books())


def test_who_acts_is_named_by_the_variable_or_by_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user without a name has at least its number; white space names nobody."""
    monkeypatch.setenv("MLC_USER", " r.diaz ")
    assert "r.diaz" == who()
    monkeypatch.setenv("MLC_USER", "  ")
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert "root" == who()
    monkeypatch.delenv("MLC_USER")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    assert f"user {2**31 - 7}" == who()


def destinations(named: Named) -> dict[str, Destination]:
    return {name: destination_of(named, plan)[0] for name, plan in named.settings.plans.items()}


def reference(books: Destination) -> str:
    lines = (DraftLine("6100", "000", 1, 0), DraftLine("9999", "000", 0, 1))
    return JournalDraft(books, "Budget FY2027", "1", "FY2027-P01", 1, "USD", lines).reference


def test_a_destination_is_named_as_the_erp_names_it() -> None:
    """Acumatica's plan ledgers need no balance, Kinetic's plan books do; native figures never."""
    acumatica = destinations(read_one(folder() / "demo.yaml"))
    assert Destination("demo", "Meridian", "MERIDIAN", "PLAN", True) == acumatica["budget"]
    assert Destination("demo", "Meridian", "MERIDIAN", "BUDGET", True) == acumatica["forecast"]
    epicor = destinations(read_one(folder() / "demo_epicor.yaml"))
    assert Destination("demo_epicor", "Kinetic", "IVM", "PLAN", False) == epicor["budget"]
    assert Destination("demo_epicor", "Kinetic", "IVM", "MAIN FCST", True) == epicor["forecast"]


def test_another_company_than_that_of_actuals_can_be_named(tmp_path: Path) -> None:
    """The lock is that company's as well."""
    named = read_one(written(tmp_path, ACUMATICA, JOURNALS, f"{JOURNALS}        company: MERIDIAN_EU\n"))
    books, company = destination_of(named, named.settings.plans["budget"])
    assert ("own", "MERIDIAN_EU") == (books.installation, books.company)
    assert company.name.endswith(" Meridian MERIDIAN_EU")
    assert company.pool.isascii()
    assert company.pool == company.pool.lower()


@pytest.mark.parametrize("file", ["demo.yaml", "demo_epicor.yaml"])
def test_an_address_is_no_part_of_a_reference(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that moves still finds what was posted; the lock is the site's, since only there two writers can meet."""
    monkeypatch.delenv("MLC_SANDBOX_URL", raising=False)
    here = read_one(folder() / file)
    monkeypatch.setenv("MLC_SANDBOX_URL", "https://moved.example.com")
    moved = read_one(folder() / file)
    assert destinations(here) == destinations(moved)
    for name, plan in here.settings.plans.items():
        assert reference(destinations(here)[name]) == reference(destinations(moved)[name])
        assert destination_of(here, plan)[1] != destination_of(moved, moved.settings.plans[name])[1]


def test_every_book_that_any_connection_reads_is_closed_to_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same company at the same site only; a broken file beside it changes nothing."""
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    named = read_one(written(tmp_path, EPICOR, "book: MAIN", "book: MAIN"))
    written(tmp_path, EPICOR, "book: MAIN", "book: TAX", "tax.yaml")
    written(tmp_path, EPICOR.replace("company: IVM", "company: OTHER", 1), "book: MAIN", "book: THEIRS", "other.yaml")
    written(tmp_path, EPICOR.replace("/Kinetic", "/Pilot", 1), "book: MAIN", "book: PILOT", "pilot.yaml")
    (tmp_path / "broken.yaml").write_text("type: [")
    (tmp_path / "acumatica.yaml").write_text(ACUMATICA)
    assert 1 == len(read_all()[1])
    assert ("MAIN", "TAX") == books_read(named.settings.erp)

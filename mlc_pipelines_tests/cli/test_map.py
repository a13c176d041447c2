"""mlc map: codes that lost their member are offered the right one; one person proposes an entry, another accepts it, and it counts from then on."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.approval import SamePerson
from mlc_pipelines.flows.files import read_frame
from mlc_pipelines.flows.reference import map_members, refresh_reference
from mlc_pipelines.flows.steps import MEMBER_MAP
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping_table import at_period
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.rooms import open_desk


def test_codes_without_a_rule_are_offered_their_members(
    demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pattern that finds nothing, names and codes still lead to the members that the pattern would have named; nothing is changed."""
    (tmp_path / "own").mkdir()
    text = demo.file.read_text()
    assert 'accounts: {list: Accounts, code: "A{code}"}' in text
    (tmp_path / "own" / "demo.yaml").write_text(
        text.replace('accounts: {list: Accounts, code: "A{code}"}', 'accounts: {list: Accounts, code: "GL{code}"}')
    )
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "own"))
    seen = CliRunner().invoke(cli, ["map", "suggest", "demo", "--json"], catch_exceptions=False)
    assert 0 == seen.exit_code, seen.output
    first = {
        row["code"]: row["member"]
        for row in json.loads(seen.output)["suggestions"]
        if row["rank"] == 1 and row["dimension"] == "account"
    }
    right = sum(member == f"A{code}" for code, member in first.items())
    assert len(first) > 100
    assert right / len(first) > 0.9


def test_the_table_says_what_to_do(demo: Named) -> None:
    """On a terminal: the summary, and a table where there is something to suggest."""
    seen = CliRunner().invoke(cli, ["map", "suggest", "demo"], catch_exceptions=False)
    assert 0 == seen.exit_code, seen.output
    assert "codes have no member" in seen.output


@pytest.fixture
def own(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo connection with a mapping file; its codes and members were read once."""
    (tmp_path / "own").mkdir()
    text = demo.file.read_text()
    assert ACCOUNTS in text
    file = tmp_path / "own" / "demo.yaml"
    file.write_text(text.replace(ACCOUNTS, 'accounts: {list: Accounts, code: "A{code}", file: accounts.csv}'))
    (tmp_path / "own" / "accounts.csv").write_text("code,member,from\n6120,A6130,FY2027-P01\n")
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "own"))
    with open_desk(find("demo")) as desk:
        refresh_reference(desk)
    return file


CODE, MEMBER, OTHER, FILED = "6100", "A6100", "A6110", "6120"
ACCOUNTS = 'accounts: {list: Accounts, code: "A{code}"}'


def give(who: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["map", *words], env={"MLC_USER": who}, catch_exceptions=False)


def member_of(code: str, key: str) -> str:
    with open_desk(find("demo")) as desk:
        held = read_frame(desk, desk.store.history.require_step("demo", MEMBER_MAP))
        pairs = at_period(held, desk.calendar.keys, key)
    return str(pairs["member"][pairs["code"] == code].iat[0])


def test_one_person_proposes_and_another_accepts(own: Path) -> None:
    """Maker and checker; the entry counts from its period on, from the next map on; who, why and each version of the mapping stay to be read."""
    words = "accept", "demo", CODE, OTHER, "--from", "FY2027-P01", "--why", "merged with the new year"
    assert "waits for somebody else" in give("ann", *words).output
    with pytest.raises(SamePerson, match="ann proposed account"):
        give("ann", *words)
    with open_desk(find("demo")) as desk:
        first = map_members(desk).texts["mapping version"]
    assert MEMBER == member_of(CODE, "FY2027-P01")
    assert "Accepted" in give("ben", *words).output
    with open_desk(find("demo")) as desk:
        report = map_members(desk)
    assert [MEMBER, OTHER] == [member_of(CODE, key) for key in ("FY2026-P12", "FY2027-P01")]
    told = json.loads(give("ann", "history", "demo", "--json").output)
    assert [("PROPOSED", "ann"), ("ACCEPTED", "ben")] == [(one["state"], one["by"]) for one in told["changes"]]
    assert {"merged with the new year"} == {one["why"] for one in told["changes"]}
    assert first != report.texts["mapping version"] == told["versions"][-1]["version"]
    with pytest.raises(DataError, match="already"):
        give("ann", *words)
    kinds = [one.event["kind"] for one in Store.open().trail.entries(connection="demo")]
    assert ["mapping_entry_proposed", "mapping_entry_accepted"] == [one for one in kinds if one.startswith("mapping")]


def test_an_accepted_entry_goes_as_it_came(own: Path) -> None:
    """By two people; a proposal is taken back by one. Afterwards the pattern counts again."""
    words = "accept", "demo", CODE, OTHER, "--why", "a test"
    give("ann", *words)
    assert "Taken back" in give("ann", "withdraw", "demo", CODE, "--why", "a mistake").output
    assert "waits" in give("ann", *words).output
    give("ben", *words)
    gone = "withdraw", "demo", CODE, "--why", "back to the pattern"
    assert f"{CODE} -> no entry" in give("ben", *gone).output
    with pytest.raises(SamePerson):
        give("ben", *gone)
    assert "Accepted" in give("ann", *gone).output
    entries = json.loads(give("ann", "list", "demo", "--json").output)
    assert ([], ["accounts.csv line 2"]) == (entries["waiting"], [one["source"] for one in entries["entries"]])
    with pytest.raises(DataError, match="has no entry for"):
        give("ann", *gone)


def test_what_cannot_count_is_refused_at_once(own: Path) -> None:
    """A code or member that is not there, a parent, a period that does not exist, no reason, and what the file says otherwise: nothing is written."""
    why = "--why", "a test"
    for words, said in {
        (CODE, "A_NOWHERE"): "had no such member",
        ("no-such-code", OTHER): "The ERP had no account, cost center or vendor",
        (CODE, OTHER, "--from", "FY2026-P77"): "FY2026-P77 does not exist",
        (CODE, OTHER, "--why", " "): "for a reason",
        (FILED, OTHER, "--from", "FY2027-P01"): "accounts.csv line 2",
    }.items():
        with pytest.raises(DataError, match=said):
            give("ann", "accept", "demo", *words[:2], *why, *words[2:])
    assert [] == json.loads(give("ann", "history", "demo", "--json").output)["changes"]


def test_one_person_may_do_both_where_the_connection_says_so(own: Path) -> None:
    """`same_person: true`, as for budgets: one command proposes and accepts; both stand in the history."""
    own.write_text(own.read_text().replace("  mapping:\n", "  mapping:\n    same_person: true\n"))
    assert "Accepted" in give("ann", "accept", "demo", CODE, OTHER, "--why", "a small firm").output
    assert 2 == len(json.loads(give("ann", "history", "demo", "--json").output)["changes"])


def test_a_file_that_contradicts_the_desk_stops_the_map(own: Path) -> None:
    """Both places are named; before that, a code or member that is gone is told by `mlc map check`."""
    words = "accept", "demo", CODE, OTHER, "--why", "a test"
    give("ann", *words)
    give("ben", *words)
    table = own.with_name("accounts.csv")
    table.write_text(f"code,member,from\n{FILED},A_NOWHERE,FY2027-P01\nold,{OTHER},\n")
    seen = give("ann", "check", "demo", "--json")
    assert 1 == seen.exit_code
    assert ["member is gone", "code is gone"] == [one["finding"] for one in json.loads(seen.output)["findings"]]
    table.write_text(f"code,member\n{CODE},{MEMBER}\n")
    with pytest.raises(DataError, match=r"accounts\.csv line 2.*mapping desk, accepted by ben"):
        give("ann", "check", "demo")

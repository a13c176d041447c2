"""What a test may change about the emulated Kinetic instance.

A switch stands where the real behaviour is unknown, differs between sites, or is a mishap. Marks: [S] a source says it, [C] seen in the field,
[I] nobody has recorded it.
"""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

STATUSES = (400, 401, 403, 404, 408, 410, 500, 503, 504)


class Switch(NamedTuple):
    """One thing that may be changed. `allowed` lists the values, or gives the type that a value must have."""

    default: Any
    allowed: tuple[Any, ...] | type
    meaning: str


SWITCHES: dict[str, Switch] = {
    # -- who may
    "token_seconds": Switch(3600, int, "life of a token [S SEED one hour; other sources 8 h]"),
    "token_kind": Switch("jwt", ("jwt", "opaque"), "form of a token; a JWT tells its end in `exp` [I]"),
    "token_body": Switch("full", ("full", "bare"), "members beside AccessToken: TokenType and ExpiresIn, or none [I]"),
    "token_resource": Switch(
        True, bool, "TokenResource exists; it may not where people sign in elsewhere [S EPG: open]"
    ),
    "key_required": Switch(True, bool, "v2 wants the API key beside the login [S EPG: the default]"),
    "key_companies": Switch(["IVM", "IVC"], list, "companies that the key is valid for [S EPG: may be limited]"),
    "user_companies": Switch(["IVM", "IVC"], list, "companies that the user may enter"),
    "denied": Switch(
        [], list, 'services, methods, BAQs without rights: "Erp.BO.CompanySvc", "Erp.BO.GLBookSvc/GetRows"'
    ),
    "denied_status": Switch(
        403, (401, 403), "status of that: no rights of the user [C], or outside the key's scope [S]"
    ),
    "max_sessions": Switch(
        None, int, "licences; null = no cap. Sessions hold one each, other calls need a free one [S]"
    ),
    "licence_status": Switch(401, STATUSES, "status when there is none; only its text is known [S FOR-84859]"),
    "shared_licence_ms": Switch(0, int, "delay of each business-object call on a shared licence; really 20 s [S FOR]"),
    # -- lists
    "default_rows": Switch(100, int, "rows without $top, silently [S EPG, KLB]"),
    "page_max": Switch(0, int, "most rows that a $top is honoured up to; 0 = no cap; unknown [I]"),
    "nextlink": Switch(
        "none", ("none", "given", "other host", "loops"), "@odata.nextLink while rows follow; no source has one [I]"
    ),
    "count_off": Switch(0, int, "by how much @odata.count is wrong; it was called not trustworthy [C SUG]"),
    "order": Switch("stable", ("stable", "scrambled"), "order of rows without $orderby; scrambled: per call [S EPG]"),
    "ignore_case": Switch(True, bool, "texts compare without case, as the usual collation does [I]"),
    "ignore_filter": Switch([], list, "sets whose $filter is not heeded: all rows come, as behind some proxies [I]"),
    "expand_max": Switch(0, int, "most rows of an expanded child; then X@odata.nextLink stands beside it [C SUG]"),
    "url_max": Switch(8192, int, "longest path and query; beyond it 414 [C SUG]"),
    "decimals": Switch(
        "number", ("number", "text", "padded"), "amounts: as stored, as text, or with five decimals [I]"
    ),
    "date_form": Switch("plain", ("plain", "Z", "offset"), "2026-01-31T00:00:00 [C], with Z, or with -06:00 [I]"),
    "metadata_form": Switch(
        "by accept", ("by accept", "xml"), "$metadata: JSON CSDL for a JSON Accept [C SUG], or never"
    ),
    "removed": Switch([], list, 'columns that this release lacks, like "GLJrnDtl/PerBalFlag" [C SUG: they differ]'),
    "extra_unknown_fields": Switch(False, bool, "each row carries a field that no metadata names"),
    # -- mishaps of lists
    "drop_rows": Switch({}, dict, 'set or BAQ -> so many of its rows are missing: {"GLJrnDtls": 2}'),
    "repeat_rows": Switch({}, dict, "set or BAQ -> so many of its rows stand in it twice"),
    "page_short": Switch(0, int, "so many rows fewer in the second answer to a set's $top, though more follow"),
    "foreign_rows": Switch([], list, "sets that show the rows of other companies too [I]"),
    "meanwhile": Switch("nothing", ("nothing", "insert", "change", "delete"), "what others do after each page"),
    "meanwhile_times": Switch(1, int, "how often they do it"),
    # -- the ledger behind
    "lagging_lines": Switch(0, int, "so many newest lines are not in the balances yet, PerBalFlag false [S SNO]"),
    "uncommitted": Switch(
        [], list, 'journals that nobody sees yet, though numbered: ["MAIN 2026 GJ 12"]; later revisions show [C SUG]'
    ),
    "balance_segments": Switch("1~2", ("1~2", "1"), "COA.PerBalFmt: segments that a balance is kept by [S SNO]"),
    # -- writing
    "partial_rows": Switch("refused", ("refused", "filled"), "Update of a row that lacks columns [C NPM: it fails]"),
    "clash_status": Switch(409, (400, 409), "status when a row has been modified by another user [C MCP: 409; I]"),
    "lines_per_update": Switch(
        "refused", ("refused", "any", "first only"), "several new lines in one Update: unproven [C GLC1: one each]"
    ),
    "group_id_width": Switch(9, int, "width of GroupID; 0 = none [I: a working program builds 9]"),
    "description_width": Switch(30, int, "width of Description; 0 = none [I]"),
    "comment_width": Switch(0, int, "width of CommentText; 0 = none [S: long text]"),
    "over_width": Switch("refused", ("refused", "cut"), "a text longer than its column [I]"),
    "account_exists": Switch(
        "combination", ("combination", "segments"), "account and department exist together, or each for itself [S; I]"
    ),
    "restricted_values": Switch([], list, "segment values that are blocked for entry [S CAL]"),
    "account_check": Switch("update", ("update", "posting"), "when accounts are checked: else InvalidGLAccount [S; I]"),
    "earliest_date": Switch(True, bool, "the earliest apply date holds for journal entry, plan books too [I]"),
    "unbalanced_books": Switch([], list, "books whose journals need not balance (AllowUnbalancedEntries) [S SNO]"),
    "legal_number": Switch(False, bool, "a legal number is wanted from the user: RequiresUserInput [S SNO]"),
    "new_groups_taken_by": Switch("", str, "user who holds a group from its first Update on (ActiveUserID) [S SNO]"),
    "full_group": Switch("refused", ("refused", "emptied"), "deleting a group that holds journals [I]"),
    "posted_group": Switch("deleted", ("deleted", "flagged"), "the group after posting: gone, or Posted [S SNO: both]"),
    "before_post": Switch(
        "nothing", ("nothing", "period closes", "group taken"), "what happens between the build and the next posting"
    ),
    "review": Switch("never", ("never", "errors", "always"), "journals that posting parks in the review journal [S]"),
    "posting_async": Switch("by lines", ("by lines", "always", "never"), "answer of IsNeedAsyncronousPosting [S SNO]"),
    "task_polls": Switch(1, int, "looks at SysTasks that still show a task Active; then it is done [S: it takes time]"),
    "task_status_case": Switch("title", ("title", "upper"), "Complete [S SNO] or COMPLETE [C KDV]"),
    "budget_codes": Switch(True, bool, "budgets have a BudgetCodeID; older versions have not [S: old GetNew methods]"),
    "budget_details": Switch(True, bool, "Update of a new budget makes its details, one a period [I]"),
    "delete_budget": Switch(
        False, bool, "DeleteBudget does what it says; else it is refused here, and told either way"
    ),
    # -- BAQs
    "baq_missing": Switch([], list, "BAQs that do not exist"),
    "baq_not_shared": Switch([], list, "BAQs of another owner, not shared: not to be run [S EPG; I: like no rights]"),
    "baq_removed": Switch([], list, 'columns a BAQ lacks: "ML_GLJrnDtl/GLJrnDtl_SegValue2" [C SUG: old columns]'),
    "baq_aliases": Switch({}, dict, 'other column names: {"ML_GLJrnDtl/GLJrnDtl_SegValue1": "Account"} [C SUG]'),
    "baq_timeout": Switch([], list, "BAQs that take longer than their 30 s [S EPG]"),
    "baq_timeout_status": Switch(500, STATUSES, "status of that [I]"),
    "baq_max_rows": Switch(0, int, "QueryMaxResultSet: rows after which a BAQ is cut, silently; 0 = never [S EPG]"),
    # -- errors
    "error_shape": Switch("kinetic", ("kinetic", "odata", "html", "text"), "bodies of errors [S, C; C MCP, SUG]"),
    "echo_key": Switch(False, bool, "every error repeats the caller's Authorization and key"),
}


def defaults() -> dict[str, Any]:
    """All switches as they stand at the start."""
    return {name: copy.deepcopy(switch.default) for name, switch in SWITCHES.items()}


def require_fitting(changes: Mapping[str, Any]) -> None:
    """Raise ValueError that names the first switch that does not exist, or takes another kind of value."""
    for name, value in changes.items():
        if name not in SWITCHES:
            raise ValueError(f"no switch {name!r}; there are {', '.join(SWITCHES)}")
        if not _fits(value, SWITCHES[name]):
            raise ValueError(f"switch {name} takes {SWITCHES[name].allowed}, not {value!r}")


def _fits(value: Any, switch: Switch) -> bool:
    if isinstance(switch.allowed, tuple):
        return any(type(value) is type(one) and value == one for one in switch.allowed)
    if value is None:
        return switch.default is None
    return type(value) is switch.allowed

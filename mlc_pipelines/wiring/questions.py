"""A new connection file by asking: the questions, and the commented file that the answers make. Nothing secret is asked for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know. default: taken for an empty answer; None where there is none. only: the system it is asked for, "" for both."""

    key: str
    text: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    only: str = ""


QUESTIONS = (
    Question("system", "Which ERP", None, ("acumatica", "epicor")),
    Question("url", "Address of the site (https://host/Site)", only="acumatica"),
    Question("tenant", "Tenant, as people choose it at the log-in", only="acumatica"),
    Question("company", "Company", only="acumatica"),
    Question("ledger", "Ledger whose posted figures are actuals", "ACTUAL", only="acumatica"),
    Question(
        "version", "Version of the endpoint Default (GET {url}/entity lists them)", "24.200.001", only="acumatica"
    ),
    Question("separator", "What stands between the segments of a subaccount", "-", only="acumatica"),
    Question("segment", "Which segment of the subaccount is the cost center, counted from 1", "1", only="acumatica"),
    Question("url", "Whole tenant address with the instance (https://host/Instance)", only="epicor"),
    Question("company", "Company", only="epicor"),
    Question("book", "Book whose posted figures are actuals", "MAIN", only="epicor"),
    Question("account_segment", "Which segment is the natural account, counted from 1", "1", only="epicor"),
    Question("cost_center_segment", "Which segment is the cost center", "2", only="epicor"),
    Question("region", "Region of Anaplan (us1, eu1 ...), or the address of another one (https://host)", "us1"),
    Question("workspace", "Anaplan workspace, by name or id"),
    Question("model", "Anaplan model, by name or id"),
    Question("first_month", "First month of the fiscal year, 1 to 12", "1"),
    Question("first_year", "First fiscal year, named by the year in which it ends"),
    Question("last_year", "Last fiscal year"),
    Question("adjustment", "Version that takes an adjustment period at the year's end; - where there is none", "-"),
    Question("import", "Name of the import action that takes actuals"),
    Question("export", "Name of the export action that reads them back"),
    Question("account", "Header of the account column in both", "Account"),
    Question("cost_center", "Header of the cost center column", "Cost Center"),
    Question("period", "Header of the period column", "Period"),
    Question("version_column", "Header of the version column", "Version"),
    Question("amount", "Header of the amount column", "Amount"),
    Question("period_label", "How the model writes a period (%b %y makes Jul 25)", "%b %y"),
    Question("plan_version", "Version that takes actuals", "Actual"),
    Question("accounts_list", "List of accounts in the model", "Accounts"),
    Question("account_member", "How an account's code stands in its member's code", "A{code}"),
    Question("cost_centers_list", "List of cost centers in the model", "Cost Centers"),
    Question("cost_center_member", "How a cost center's code stands in its member's code", "CC_{code}"),
)

_HEAD = "# A connection file holds no secret: `credential` names an entry of the vault. docs/connecting.md tells every field.\n"
_ACUMATICA = """\
  erp:
    system: acumatica
    url: {url}
    tenant: {tenant}
    company: {company}
    ledger: {ledger}               # its type must be Actual; the ERP is asked
    endpoint: Default
    version: {version}
    auth: oauth_password           # or: oauth_code (a person logs in once), cookie
    credential: {name}-acumatica   # mlc secrets set {name}-acumatica --field username --field password --field client_id --field client_secret
    subaccount: {{separator: {separator}, segment: {segment}}}
"""
_EPICOR = """\
  erp:
    system: epicor
    url: {url}
    company: {company}
    book: {book}
    auth: basic                    # or: token, client_credentials; the API key goes with every call in any case
    credential: {name}-epicor      # mlc secrets set {name}-epicor --field api_key --field username --field password
    account_segment: {account_segment}
    cost_center_segment: {cost_center_segment}
    read: auto                     # balances where the chart keeps the cost center in them, journal lines where not
"""
_REST = """\

  anaplan:
{place}
    workspace: {workspace}
    model: {model}
    auth: basic                    # or: certificate, oauth_device, oauth_code (docs/signing-in.md)
    credential: {name}-anaplan     # mlc secrets set {name}-anaplan

  calendar:                        # or: kind weeks (4-4-5 ...), or kind file, taken from the ERP by `mlc calendar sync`
    kind: months
    first_month: {first_month}
    first_year: {first_year}
    last_year: {last_year}
    adjustment_period: {has_adjustment}

  actuals:
    import: {import}
    export: {export}
    columns: {{account: {account}, cost_center: {cost_center}, period: {period}, version: {version_column}, amount: {amount}}}
    period_label: {period_label}
    version: {plan_version}
    adjustment_version: {adjustment}
    signs:                         # which kinds of account planners see with credits positive
      Income: credit_positive
      Liability: credit_positive

  mapping:
    accounts: {{list: {accounts_list}, code: {account_member}}}
    cost_centers: {{list: {cost_centers_list}, code: {cost_center_member}}}
    unmapped: stop                 # or suspense members that take figures without a partner: {{account: A_UNMAPPED, cost_center: CC_NONE}}
"""
_BARE = {"name", "segment", "account_segment", "cost_center_segment", "first_month", "first_year", "last_year"}


def questions_for(answers: Mapping[str, str]) -> Iterator[Question]:
    """The questions that are left, in order; what is asked depends on the answer before."""
    for one in QUESTIONS:
        if one.key not in answers and one.only in ("", answers.get("system", "")):
            yield one


def file_of(name: str, answers: Mapping[str, str]) -> str:
    """The commented connection file. Texts are quoted, so that 0010, no and {code} stay what they are."""
    adjustment = answers["adjustment"].strip("-")
    said = {key: value if key in _BARE else _quoted(value) for key, value in answers.items()}
    said |= {"name": name, "place": _place(answers["region"]), "adjustment": _quoted(adjustment)}
    said["has_adjustment"] = "true" if adjustment else "false"
    erp = _ACUMATICA if answers["system"] == "acumatica" else _EPICOR
    return _HEAD + "type: mlc_pipelines.Connection\nattributes:\n" + (erp + _REST).format(**said)


def _place(region: str) -> str:
    """Where Anaplan answers: a region by name, or addresses of their own below one host."""
    if "://" not in region:
        return f"    region: {_quoted(region)}"
    host = region.rstrip("/")
    return f"    auth_url: {_quoted(host)}\n    api_url: {_quoted(host + '/2/0')}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

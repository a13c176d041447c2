"""What a test may change about the emulated Anaplan, with the defaults.

A switch stands where the real behaviour is unknown, differs between tenants or between models, or is a rare mishap.
The marks say which: [S] a source describes both ways, [I] nobody has recorded it.
"""

from decimal import Decimal
from typing import Any

Switches = dict[str, Any]

DEFAULTS: Switches = {
    # -- logging in
    "certificate_header": "both",  # both | pem | der: base64 of the PEM text, or of the DER bytes [C: both in use]
    "certificate_payload": "both",  # both | v1 | v2 [S: v1 is to be phased out]
    "certificate_v2_unit": "either",  # either | seconds | milliseconds: the stamp of a v2 payload [C: both in use]
    "certificate_v2_seconds": 300.0,  # how far that stamp may be from now [I]
    "sso_enforced": False,  # then no password logs in (of nobody who is no exception user), nor approves a device [S]
    "login_ends_others": False,  # a log-in ends the user's earlier ones [I]
    "oauth_auto_approve": False,  # the authorization request is consented to without a person
    "oauth_rotation": "client",  # client | always | never: whether a refresh brings a new refresh token [S: by client]
    "oauth_refresh_seconds": 43_000.0,  # life of a rotating refresh token [S]
    "oauth_refresh_seconds_fixed": 31_556_926.0,  # and of one that does not rotate [S: a year, or for ever]
    "oauth_access_seconds": 2_100.0,  # [S]
    "oauth_device_seconds": 900.0,  # how long a person may take to approve a device [S]
    "oauth_interval_seconds": 5.0,  # between two polls of a device; sooner is slow_down [S]
    "oauth_code_seconds": 300.0,  # life of an authorization code [I]
    "oauth_error_status": 403,  # or 400, 401: of pending, slow_down, expired_token, access_denied, invalid_grant [I]
    "oauth_reuse_revokes": False,  # a used refresh token that comes again ends all that came from it [I]
    # -- the tenant's limit
    "rate_per_minute": 600,  # 0 is off [S]
    "retry_after": "seconds",  # seconds | date | none: the header of a 429 [S: it may be absent]
    # -- CloudWorks
    "cloudworks_access": "full",  # full | unassigned (empty lists) | none (403, or 452) [S]
    "cloudworks_run_paging": "optional",  # optional | required: offset and limit of a run history [S; C: a client sends none]
    "cloudworks_schedules_run": False,  # schedules start their jobs
    "cloudworks_job_seconds": 60.0,  # how long a job works that a schedule or an API call started
    # -- the model as a whole
    "model_state": "UNLOCKED",  # or PRODUCTION, LOCKED (423 on change), ARCHIVED (422), [PRODUCTION_]MAINTENANCE (424) [S]
    "deployed_refusal": 425,  # or 400: a structural change of a deployed model [S: both are recorded]
    "open_seconds": 1.0,  # how long it takes to wake or open a closed model
    "admins_enter_maintenance": True,  # administrators get into an offline model [S]
    "no_access": False,  # role NO ACCESS: 404 below the model, task lists empty [S]
    "task_seconds": 0.05,  # how long a task works, by the sandbox clock
    "cancel_seconds": 0.02,  # how long a task stays CANCELLING
    "cancel": "ok",  # ok | refused: a task stops only if it can roll back [S]
    "busy_start": "queue",  # queue | 409: starting an action in a busy model [S: both are documented]
    "block_cap_seconds": 30.0,  # how long a call waits for a busy model before 504 [I]
    "file_calls_wait": False,  # whether file contents wait for a busy model too [S: both "all waits" and "no lock"]
    # -- answers
    "page_cap": 5000,  # most rows in one page, whatever limit asks [S]
    "chunk_echo": "sent",  # sent | zero | one: the chunkCount that POST files/{f} repeats [S: all seen]
    "no_envelope_task": False,  # POST tasks answers {"taskId"} without "task" [S: some documents]
    "failed_step": "Complete.",  # or "Failed.": currentStep of an unsuccessful task [C: one client expects it]
    "object_name": True,  # results carry objectName [S: sometimes absent]
    # -- names of actions
    "rename_import": "",  # another name for the first import
    "duplicate_action_names": False,  # a second import and a second export of the same name
    # -- files
    "unfinished_upload": "hidden",  # hidden | read: content of a -1 upload before /complete [I]
    "export_chunk_bytes": 10_000_000,  # [C: about 10 MB]
    # -- imports
    "mapping_by": "name",  # name | position: how the saved mapping finds its columns [S]
    "match_members": "code",  # code | name: how list members are matched
    "match_case": True,  # whether an import tells A6100 from a6100; the look-up by the API does not [I]
    "clear_target": "off",  # off | mapped (cross product of the items in the file) | all [S]
    "blank_cells": "skip",  # skip | zero [I]
    "ignore_rows": 0,  # dropped by the mapping: the first n data rows, or a list of row numbers from 1 [S]
    "ignored_counted": True,  # whether those rows appear in the counts [I]
    "reject_rows": 0,  # refused though fine: the first n data rows, or a list of row numbers from 1
    "reject_message": "Invalid line item identifier: Amount",
    "import_ends": "COMPLETE",  # COMPLETE | UNSUCCESSFUL (nothing loaded) | CANCELLED (by somebody else)
    "successful_despite_failures": True,  # the flag when only some rows fail [I: unknown]
    "details_style": "values",  # values | text | other_keys | german | nulls | none [I: keys are not recorded]
    "process_counts_ignored": False,  # a process is unsuccessful because rows were ignored [C: seen in production]
    "list_import_duplicates": "first",  # first | reject: of a repeated key the first row counts, or the import fails [S]
    "mapping_refusal": "400",  # 400 | task: where missing or wrong mapping parameters are refused [I]
    "process_after_failure": "stop",  # stop | continue: the steps after one that failed [I]
    "dump_fetch": "ok",  # ok | 404 | 500
    "dump_chunk_bytes": 10_000_000,  # [S: at most 10 MB]
    # -- lists, views and cells
    "list_items_cap": 100_000,  # most items in one add, update or delete [S]
    "list_duplicates_reported": True,  # whether an item that is there already stands in `failures`, or is only counted [I]
    "list_delete_unknown": "silent",  # silent | failure: deleting what is not there [C: the SDK warns of silent]
    "codes_refused": True,  # 400 for codes of a dimension that has none [S]
    "empty_code": "blank",  # blank | omitted: the code of a dimension item that has none [C, S: both seen]
    "view_members": "code",  # code | name: what the saved view shows
    "view_filter": True,  # whether the saved view hides what was never written
    "view_cell_cap": 1_000_000,  # most cells in one read [S]
    "table_pages": "all",  # all | one: what a view read as a table shows of its pages, the chosen or default one [I]
    "plain_csv": "ok",  # ok | refused: some tenants want text/csv;escaped=true [S]
    "cell_write_cap": 100_000,  # or 1000: most cells in one write [S: conflict]
    "cell_failures_key": "omitted",  # omitted | empty: when every cell was written [C, S: conflict]
    "read_requests_admin": False,  # whether large reads want a workspace administrator [S: conflict]
    "read_request_seconds": 0.05,  # how long a large read works
    "read_request_ends": "COMPLETE",  # COMPLETE | UNSUCCESSFUL
    "read_page_rows": 50_000,  # rows of one page [I]
    "read_page_header": "first",  # first | every: pages that begin with the header [I]
    # -- the model that goes by weeks
    "week_labels": "number",  # number ("P01 FY26") | month ("Oct 25") [I]
    "weeks_53": False,  # years end on the Saturday nearest to 30 September, not the last: FY26 has 53 weeks
    # -- the plan
    "new_hire_pool": False,  # a member of Accounts without an account in the ERP, with figures in the plan
    # -- exports
    "export_ends": "COMPLETE",  # as import_ends; yesterday's file stays
    "export_rows_told": False,  # whether the result of an export says how many rows it wrote [I]
    "export_members": "code",  # code | name
    "export_totals": False,  # rows of parents, quarters and years among the leaves [S]
    "float_noise": False,  # 62.25000000000001 [S: sample]
}

CHOICES = {"week_labels": ("number", "month")}
"""Switches that change what a model is, so that a wrong word must not get in."""

ROW_SWITCHES = ("ignore_rows", "reject_rows")
"""A number of rows, or a list of row numbers."""


def checked(changes: Switches) -> Switches:
    """The same switches, numbers of seconds as float; ValueError on one that does not exist or has the wrong kind."""
    unknown = sorted(set(changes) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"unknown Anaplan switches: {', '.join(unknown)}")
    return {name: _fitting(name, value) for name, value in changes.items()}


def _fitting(name: str, value: Any) -> Any:
    default = DEFAULTS[name]
    if isinstance(default, float) and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    kinds = (int, list) if name in ROW_SWITCHES else type(default)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ValueError(f"the Anaplan switch {name} takes {type(default).__name__}, not {value!r}")
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"the Anaplan switch {name} is {' or '.join(CHOICES[name])}, not {value!r}")
    return value


def picked_rows(setting: int | list[int]) -> frozenset[int]:
    """Data row numbers, from 1, that `ignore_rows` or `reject_rows` names."""
    return frozenset(range(1, setting + 1) if isinstance(setting, int) else setting)

"""What a test may change about the emulated Anaplan, with the defaults.

A switch stands where the real behaviour is unknown, differs between tenants or between models, or is a rare mishap.
The marks say which: [S] a source describes both ways, [I] nobody has recorded it.
"""

from decimal import Decimal
from typing import Any

Switches = dict[str, Any]

DEFAULTS: Switches = {
    # -- the model as a whole
    "model_state": "UNLOCKED",  # or PRODUCTION, LOCKED (423 on change), ARCHIVED (422), MAINTENANCE (424) [S]
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
    "dump_fetch": "ok",  # ok | 404 | 500
    "dump_chunk_bytes": 10_000_000,  # [S: at most 10 MB]
    # -- exports
    "export_ends": "COMPLETE",  # as import_ends; yesterday's file stays
    "export_members": "code",  # code | name
    "export_totals": False,  # rows of parents, quarters and years among the leaves [S]
    "float_noise": False,  # 62.25000000000001 [S: sample]
}

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
    return value


def picked_rows(setting: int | list[int]) -> frozenset[int]:
    """Data row numbers, from 1, that `ignore_rows` or `reject_rows` names."""
    return frozenset(range(1, setting + 1) if isinstance(setting, int) else setting)

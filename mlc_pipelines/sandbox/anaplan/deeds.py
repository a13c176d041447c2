"""What the actions without a file do to a model, as far as the emulator acts it out. Reference: anaplan 3 [S] for the types."""

from collections.abc import Callable
from decimal import Decimal

from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.roster import Roster

ACTUAL_VERSIONS = ("Actual", "Actual Adj")


def delete_inactive_accounts(model: Model) -> tuple[str, str]:
    """Remove the leaves of Accounts whose property Active is false, and their cells."""
    target = next(one for one in model.lists.values() if one.name == "Accounts")
    roster = Roster(target)
    gone = [
        member
        for member in target.members
        if member.properties.get("Active") == "false" and member.key not in target.totals
    ]
    for member in gone:
        roster.remove(member)
    roster.commit(model)
    return "deleteFromSelectionSucceeded", f"{len(gone)} items deleted from {target.name}."


def clear_actuals(model: Model) -> tuple[str, str]:
    """Set every cell of the actual versions that was ever written to zero."""
    cleared = 0
    for module in (one for one in model.modules.values() if model.versions in one.dimensions):
        place = module.dimensions.index(model.versions)
        for cells in module.inputs.values():
            keys = [key for key in cells if key[place] in ACTUAL_VERSIONS]
            cells.update(dict.fromkeys(keys, Decimal(0)))
            cleared += len(keys)
    return "taskElementSucceeded", f"{cleared} cells cleared."


DEEDS: dict[str, Callable[[Model], tuple[str, str]]] = {
    "delete_inactive_accounts": delete_inactive_accounts,
    "clear_actuals": clear_actuals,
}
"""By the name that `OtherAction.does` carries: type and text of the result's detail."""

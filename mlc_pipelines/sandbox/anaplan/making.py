"""What the sample models are made with: lists as trees below one total, versions, ids that stay the same from run to run."""

import hashlib
from collections.abc import Mapping

from mlc_pipelines.sandbox.anaplan.dimension import VERSIONS_ID, Dimension, Member


class Tree:
    """The members of a list while it is made: leaves below groups, groups below the total."""

    def __init__(self, first_id: str, name: str, code: str) -> None:
        """The total, which the others stand below."""
        self.members = [Member(first_id, name, code)]
        self._groups: dict[str, str] = {}

    @property
    def top(self) -> str:
        """The id of the total."""
        return self.members[0].id

    def group(self, key: str, name: str, above: str = "") -> str:
        """The id of a group, made at its first use; below the total unless told otherwise."""
        if key not in self._groups:
            self._groups[key] = self.add(name, f"T_{name.upper().replace(' ', '_')}", above)
        return self._groups[key]

    def add(self, name: str, code: str, above: str = "", properties: Mapping[str, str] | None = None) -> str:
        """The id of a new member; below the total unless told otherwise."""
        new_id = str(int(self.top) + len(self.members))
        self.members.append(Member(new_id, name, code, above or self.top, properties or {}))
        return new_id


def actual_and_plan_versions() -> Dimension:
    """The four versions that every sample model has."""
    names = ("Actual", "Actual Adj", "Budget", "Forecast")
    members = [Member(f"10700000000{number}", name) for number, name in enumerate(names, start=1)]
    return Dimension(VERSIONS_ID, "Versions", members)


def hex_id(company: str, name: str) -> str:
    """Thirty-two hex digits."""
    return hashlib.sha256(f"{company} {name}".encode()).hexdigest()[:32]

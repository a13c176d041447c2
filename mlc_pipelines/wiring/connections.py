"""The folder of connection files, each read on its own, so that a broken one takes nothing else down."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlc_pipelines.ledger.closing import CloseCalendar
from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.wiring.settings import Connection, ConnectionFile
from mlc_pipelines.wiring.years import with_new_years

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
NAMES = "lower-case letters, digits and underscores, starting with a letter"
"""How connections may be called, in words."""
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_PLAIN = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "extra_forbidden": "is not known here; check its spelling",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A connection that can be used."""

    name: str
    file: Path
    settings: Connection

    @property
    def calendar(self) -> FiscalCalendar:
        """Its fiscal periods, and those of later years that were taken over from the ERP. Raises SetupError or DataError where the calendar file is missing or wrong, or two periods land on one place."""
        calendar = with_new_years(self.name, self.settings.calendar.build(self.file.parent))
        require_places(self, calendar)
        return calendar

    @property
    def close(self) -> CloseCalendar:
        """When which period is loaded by itself; the model's quiet hours count beside its own. Raises SetupError where none is declared, or it cannot be understood."""
        if self.settings.close is None:
            raise SetupError(
                f"Connection {self.name} has no close calendar.",
                holds="Nothing was asked for.",
                next_step=f"Declare it under `close` in {self.file}; docs/closing.md shows how.",
            )
        of_model = self.settings.anaplan.quiet_hours
        return self.settings.close.build(self.calendar, (of_model.build(),) if of_model else ())


def require_places(named: Named, calendar: FiscalCalendar) -> None:
    """Every period has a label and version of its own in the model, or one would overwrite the other; and each plan a label for every ordinary one."""
    landings = {"actuals": named.settings.actuals, "ap_spend": named.settings.ap_spend}
    for section, landing in ((name, one) for name, one in landings.items() if one):
        versions = {True: landing.adjustment_version, False: landing.version}
        every = ((period, versions[period.adjustment]) for period in calendar.periods)
        remedy = f"`{section}.period_label` or `{section}.adjustment_version`"
        _require_own_places(named, every, landing.period_label, remedy)
    for name, plan in named.settings.plans.items():
        ordinary = ((period, plan.version) for period in calendar.periods if not period.adjustment)
        label = plan.period_label or named.settings.actuals.period_label
        _require_own_places(named, ordinary, label, f"`plans.{name}.period_label`")


def _require_own_places(named: Named, periods: Iterable[tuple[FiscalPeriod, str]], label: str, remedy: str) -> None:
    """periods: each with the version that takes its figures."""
    taken: dict[tuple[str, str], str] = {}
    for period, version in periods:
        place = (period.label(label), version)
        if not version or place in taken:
            why = f"has the same place as {taken[place]}" if version else "has no version that takes its figures"
            raise SetupError(
                f"Period {period.key} {why} in the plan of connection {named.name} (label {place[0]!r}, version {version!r}).",
                holds="This connection is not loaded; the others are not affected.",
                next_step=f"Correct {remedy} in {named.file}.",
            )
        taken[place] = period.key


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection whose file cannot be used, and why."""

    name: str
    file: Path
    error: PipelineError


def usable_name(name: str) -> bool:
    """Whether a connection may be called so: the name is part of asset keys, job names and file names."""
    return _NAME.fullmatch(name) is not None


def folder() -> Path:
    """MLC_CONNECTIONS, or the folder that comes with the project."""
    return Path(os.environ.get("MLC_CONNECTIONS") or Path(__file__).parents[1] / "connections").absolute()


def read_all(place: Path | None = None) -> tuple[list[Named], list[Broken]]:
    """Every *.yaml of the folder, in name order; the usable ones and the broken ones."""
    place = place or folder()
    named: list[Named] = []
    broken: list[Broken] = []
    for file in sorted([*place.glob("*.yaml"), *place.glob("*.yml")]):
        try:
            one = read_one(file)
            if any(one.name == other.name for other in named):
                raise _wrong(file, [f"there is a second file of the connection {one.name!r}; keep one of the two"])
            _require_own_jobs(one, named)
            named.append(one)
        except SetupError as error:
            broken.append(Broken(_unused(re.sub(r"\W", "_", file.stem) or "unnamed", broken), file, error))
    return named, broken


def _require_own_jobs(one: Named, others: Sequence[Named]) -> None:
    """Jobs of a plan are called connection_plan: plan b_c of connection a and plan c of connection a_b would be one job."""
    taken = {f"{other.name}_{plan}": (other.name, plan) for other in others for plan in other.settings.plans}
    for plan in one.settings.plans:
        if clash := taken.get(f"{one.name}_{plan}"):
            raise _wrong(
                one.file,
                [
                    f"its plan {plan!r} would have the jobs of plan {clash[1]!r} of connection {clash[0]!r} ({one.name}_{plan}_preview); rename one of the plans"
                ],
            )


def _unused(name: str, broken: Sequence[Broken]) -> str:
    """The name, or the next free one like it: two files must not be shown as one."""
    taken = {one.name for one in broken}
    return next(each for each in chain([name], (f"{name}_{number}" for number in count(2))) if each not in taken)


def find(name: str, place: Path | None = None) -> Named:
    """The connection of that name. Raises SetupError listing the names there are, or telling what is wrong with its file."""
    named, broken = read_all(place)
    for one in named:
        if one.name == name:
            return one
    for other in broken:
        if other.name == name:
            raise other.error
    names = ", ".join(one.name for one in named) or "none"
    raise SetupError(
        f"There is no connection {name!r} in {place or folder()}; there are: {names}.",
        next_step="Check the name, or set MLC_CONNECTIONS to the folder of your connection files.",
    )


def read_one(file: Path) -> Named:
    """One connection file. Raises SetupError naming file, line, field and remedy for everything that is wrong in it."""
    if not usable_name(file.stem):
        raise _wrong(file, [f"the file name {file.stem!r} must be {NAMES}"])
    try:
        text = _with_variables(file, file.read_text(encoding="utf-8"))
        tree = yaml.compose(text, Loader=SafeLoader)
        content = yaml.load(text, Loader=SafeLoader)
    except OSError as error:
        raise _wrong(file, [f"cannot be read ({error.strerror})"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _wrong(file, [" ".join(str(error).split())]) from None
    if repeated := _repeated(tree):
        raise _wrong(file, repeated)
    try:
        named = Named(file.stem, file, ConnectionFile.model_validate(content).attributes)
    except ValidationError as error:
        raise _wrong(
            file, [_complaint(tree, _place(one), _PLAIN.get(one["type"], one["msg"])) for one in error.errors()]
        ) from None
    if (
        named.settings.calendar.kind != "file"
    ):  # a file may still have to be taken from the ERP, through this very connection
        require_places(named, named.settings.calendar.build(file.parent))
    return named


def _place(problem: ErrorDetails) -> tuple[str | int, ...]:
    """Where a complaint belongs, without the names that tell one kind of section from another (erp.acumatica.ledger is erp.ledger)."""
    parts = problem["loc"]
    loc = tuple(part for at, part in enumerate(parts) if not (at and parts[at - 1] in _TOLD_APART and part in _KINDS))
    if problem["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return (*loc, str(problem["ctx"]["discriminator"]).strip("'"))
    return loc


_TOLD_APART = {"erp", "calendar", "destination"}
_KINDS = {"acumatica", "epicor", "months", "weeks", "file"} | {
    *("statistical_journal", "budget_articles", "plan_book_journal", "budget_figures")
}


def _with_variables(file: Path, text: str) -> str:
    """${NAME} and ${NAME:-default} from the environment, so that addresses can be set from outside. Not for secrets: those live in the vault."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = os.environ.get(name) or default
        if found is None:
            line = text.count("\n", 0, match.start()) + 1
            raise _wrong(
                file,
                [
                    f"line {line}: the environment variable {name} is not set; set it, or give a default: ${{{name}:-...}}"
                ],
            )
        return found

    return _VARIABLE.sub(value, text)


def _complaint(tree: yaml.Node | None, loc: Sequence[str | int], message: str) -> str:
    """One complaint, such as `line 12: attributes.erp.ledger: field required`. The line is that of the innermost field that exists."""
    node, line = tree, 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    node, line = value, key.start_mark.line + 1
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    path = ".".join(str(part) for part in loc)
    said = message.removeprefix("Value error, ")
    return f"line {line}: {path}: {said}" if path else f"line {line}: {said}"


def _repeated(node: yaml.Node | None, path: str = "") -> list[str]:
    """Fields that stand twice in one place; YAML itself would take the last one without a word."""
    if isinstance(node, yaml.SequenceNode):
        return [said for item in node.value for said in _repeated(item, path)]
    if not isinstance(node, yaml.MappingNode):
        return []
    seen: dict[str, int] = {}
    complaints: list[str] = []
    for key, value in node.value:
        here, line = f"{path}{key.value}", key.start_mark.line + 1
        if here in seen:
            complaints.append(f"line {line}: {here}: stands twice, first in line {seen[here]}; delete one of them")
        seen[here] = line
        complaints += _repeated(value, f"{here}.")
    return complaints


def _wrong(file: Path, complaints: Sequence[str]) -> SetupError:
    return SetupError(
        f"Connection file {file.name} cannot be used: {'; '.join(complaints)}.",
        holds="This connection is not loaded; the others are not affected.",
        next_step=f"Correct {file}, then run `mlc connections check`.",
    )

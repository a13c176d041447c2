"""Which columns a declared extract has: its fields, held against what the site publishes about itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mlc_pipelines.acumatica.openapi import Contract
from mlc_pipelines.acumatica.typed import MOMENT, Field, Kind
from mlc_pipelines.ledger.control import Leg
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.extracts import ExtractRule, fields_leg

_NAMED = 8
_COMMON = {"id", "rowNumber", "note", "custom", "error", "files", "delete", "_links"}


@dataclass(frozen=True)
class Shape:
    """The columns of an extract, and below expanded fields those of their rows. leg: that all of them are published."""

    fields: tuple[Field, ...]
    rows: Mapping[str, tuple[Field, ...]]
    leg: Leg

    @property
    def schema(self) -> pa.Schema:
        plain = [pa.field(one.name, one.kind.column) for one in self.fields]
        return pa.schema([*plain, *(pa.field(name, list_of(rows)) for name, rows in self.rows.items())])

    @property
    def types(self) -> dict[str, str]:
        below = {f"{name}/{one.name}": one.type for name, rows in self.rows.items() for one in rows}
        return {one.name: one.type for one in self.fields} | below

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


def list_of(rows: Sequence[Field]) -> pa.ListType:
    """A list of records; its part is called as Parquet calls it, so that a file that was read and written again is the same file."""
    return pa.list_(pa.field("element", struct_of(rows)))


def struct_of(rows: Sequence[Field]) -> pa.StructType:
    return pa.struct([pa.field(one.name, one.kind.column) for one in rows])


def shape_of(
    rule: ExtractRule, published: Mapping[str, Mapping[str, str]], schema: str, kinds: Mapping[str, Kind], what: str
) -> Shape:
    """The columns that the rule asks for. published: schema -> field -> name of its type, or of the schema below.

    Raises SetupError naming fields that are not published or whose types do not serve.
    """
    of_type = published.get(schema, {})
    plain = [name for name in rule.select if "/" not in name] or [name for name in of_type if of_type[name] in kinds]
    top = list(dict.fromkeys([*rule.keys, *plain, *filter(None, (rule.modified, rule.by_period))]))
    below = {name: _below(rule, name, published.get(of_type.get(name, ""), {}), kinds) for name in rule.expand}
    declared = [*top, *rule.expand, *(f"{name}/{one}" for name, ones in below.items() for one in ones)]
    known = {name: said for name, said in of_type.items() if said in kinds}
    known |= {name: of_type[name] for name in rule.expand if of_type.get(name) in published}
    for name in rule.expand:
        rows = published.get(of_type.get(name, ""), {})
        known |= {f"{name}/{one}": said for one, said in rows.items() if said in kinds}
    leg = fields_leg(declared, [name for name in declared if name in known], rule.name)
    if lacking := [name for name in declared if name not in known]:
        raise _lacking(rule, lacking, what, leg)
    shape = Shape(
        tuple(Field(name, known[name], kinds[known[name]]) for name in top),
        {
            name: tuple(Field(one, known[f"{name}/{one}"], kinds[known[f"{name}/{one}"]]) for one in ones)
            for name, ones in below.items()
        },
        leg,
    )
    _require_serving(rule, shape)
    return shape


def _below(rule: ExtractRule, name: str, rows: Mapping[str, str], kinds: Mapping[str, Kind]) -> list[str]:
    chosen = [one.removeprefix(f"{name}/") for one in rule.select if one.startswith(f"{name}/")]
    return chosen or [one for one, said in rows.items() if said in kinds and one[0].isupper()]


def _lacking(rule: ExtractRule, names: Sequence[str], what: str, leg: Leg) -> SetupError:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    error = SetupError(
        f"{what} does not publish {', '.join(names[:_NAMED])}{more} of {rule.source} as a field that can be kept.",
        holds="Nothing was read.",
        next_step=f"Correct `extracts.{rule.name}` in the connection file, or ask the Acumatica administrator what became of the fields.",
    )
    error.leg, error.legs = leg.name, (leg,)
    return error


def _require_serving(rule: ExtractRule, shape: Shape) -> None:
    wrong = [f"key {name} is {shape.field(name).type}" for name in rule.keys if not shape.field(name).kind.key]
    if rule.modified and shape.field(rule.modified).kind.column != MOMENT:
        wrong.append(f"modified {rule.modified} is {shape.field(rule.modified).type}, not a time")
    if rule.by_period and shape.field(rule.by_period).kind.column != pa.string():
        wrong.append(f"by_period {rule.by_period} is {shape.field(rule.by_period).type}, not a text")
    if wrong:
        raise SetupError(
            f"Extract {rule.name} cannot be read: {'; '.join(wrong)}.",
            holds="Nothing was read.",
            next_step=f"Correct `extracts.{rule.name}` in the connection file.",
        )


def fields_of(contract: Contract) -> dict[str, dict[str, str]]:
    """The published fields of each schema, without what every record of every entity has beside its own."""
    return {
        schema: {name: said for name, said in fields.items() if name not in _COMMON}
        for schema, fields in contract.items()
    }

"""What all sections of a connection file are made of."""

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mlc_pipelines.ledger.fiscal import FiscalPeriod


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Text = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(max_length=250)]  # a key pasted in its place is longer, and is refused unshown
Port = Annotated[int, Field(ge=0, le=65535)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


class Headers(Setting):
    """Header names of a file of figures."""

    account: Text
    cost_center: Text
    period: Text
    version: Text
    amount: Text

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [name for name in self.model_dump().values() if name]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two columns have the same name: {', '.join(sorted(twice))}")
        return self


_SOME_PERIOD = FiscalPeriod(2026, 1, date(2026, 1, 1), date(2026, 1, 31))


def _can_be_filled_in(label: str) -> str:
    try:
        _SOME_PERIOD.label(label)
    except (KeyError, ValueError, IndexError, AttributeError):
        raise ValueError(
            f"period_label is {label!r}: {{number}}, {{year}}, {{yy}} and {{suffix}} can be filled in, and %b, %y and their like"
        ) from None
    return label


PeriodLabel = Annotated[Text, AfterValidator(_can_be_filled_in)]

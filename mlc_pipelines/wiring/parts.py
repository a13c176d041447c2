"""What all sections of a connection file are made of."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mlc_pipelines.ledger.fiscal import FiscalPeriod


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Text = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(max_length=250)]  # a key pasted in its place is longer, and is refused unshown
Port = Annotated[int, Field(ge=0, le=65535)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)

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

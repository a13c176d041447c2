"""What a connection file may say of its fiscal calendar: a rule, or a file that `mlc calendar sync` takes from the ERP."""

import csv
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import (
    FiscalCalendar,
    FiscalPeriod,
    YearEnd,
    calendar_of,
    from_iso,
    monthly_calendar,
    weeks_calendar,
)
from mlc_pipelines.wiring.parts import WEEK, Setting, Text, Weekday


class Months(Setting):
    """Twelve calendar months a year, from any first month."""

    kind: Literal["months"]
    first_year: int = Field(ge=1990, le=2100)
    last_year: int = Field(ge=1990, le=2100)
    first_month: int = Field(1, ge=1, le=12)
    named_by: Literal["end", "start"] = "end"
    adjustment_period: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "Months":
        if self.last_year < self.first_year:
            raise ValueError(f"last_year {self.last_year} lies before first_year {self.first_year}")
        return self

    def build(self, folder: Path) -> FiscalCalendar:  # noqa: ARG002  (only a file has a place)
        return monthly_calendar(
            self.first_year,
            self.last_year,
            first_month=self.first_month,
            named_by=self.named_by,
            adjustment=self.adjustment_period,
        )


_PATTERNS = {"4-4-5": (4, 4, 5) * 4, "4-5-4": (4, 5, 4) * 4, "5-4-4": (5, 4, 4) * 4, "13x4": (4,) * 13}


class EndOfYear(Setting):
    """The day on which a year of whole weeks ends: the last such weekday of the month, or the one nearest to the month's last day."""

    month: int = Field(ge=1, le=12)
    weekday: Weekday
    rule: Literal["last", "nearest"] = "last"


class Weeks(Setting):
    """Years of 52 or 53 whole weeks. long_period: the period that takes the 53rd week; the last one unless named."""

    kind: Literal["weeks"]
    pattern: Literal["4-4-5", "4-5-4", "5-4-4", "13x4"]
    year_end: EndOfYear
    first_year: int = Field(ge=1990, le=2100)
    last_year: int = Field(ge=1990, le=2100)
    named_by: Literal["end", "start"] = "end"
    long_period: int = Field(0, ge=0, le=13)
    adjustment_period: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "Weeks":
        if self.last_year < self.first_year:
            raise ValueError(f"last_year {self.last_year} lies before first_year {self.first_year}")
        if self.long_period > len(_PATTERNS[self.pattern]):
            raise ValueError(
                f"long_period is {self.long_period}; a year of {self.pattern} has {len(_PATTERNS[self.pattern])} periods"
            )
        return self

    def build(self, folder: Path) -> FiscalCalendar:  # noqa: ARG002  (only a file has a place)
        end = self.year_end
        return weeks_calendar(
            self.first_year,
            self.last_year,
            pattern=_PATTERNS[self.pattern],
            year_end=YearEnd(end.month, WEEK.index(end.weekday), end.rule),
            named_by=self.named_by,
            long_period=self.long_period,
            adjustment=self.adjustment_period,
        )


class CalendarFile(Setting):
    """The ERP's own periods, in a CSV file beside the connection file, as `mlc calendar sync` writes it."""

    kind: Literal["file"]
    file: Text

    @property
    def adjustment_period(self) -> bool:
        """Only the file itself tells; whether each of its periods has a place in the plan is looked at when it is read."""
        return False

    def build(self, folder: Path) -> FiscalCalendar:
        return read_calendar(folder / self.file)


Calendar = Annotated[Months | Weeks | CalendarFile, Field(discriminator="kind")]

HEADER = ["period", "start", "end", "adjustment"]
_YES_NO = {"yes": True, "no": False}
_ANEW = "Write it anew with `mlc calendar sync CONNECTION`."


def read_calendar(file: Path) -> FiscalCalendar:
    """The periods of a calendar file. Raises SetupError where it cannot be read, DataError naming the line that is wrong."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            header, *rows = [row for row in csv.reader(source) if row] or [[]]
    except OSError as error:
        raise SetupError(
            f"The calendar file {file} cannot be read ({error.strerror}).",
            holds="Nothing was read or sent.",
            next_step="Write it with `mlc calendar sync CONNECTION`, or correct `calendar.file` in the connection file.",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The calendar file {file.name} is not CSV in UTF-8 ({error}).", next_step=_ANEW) from None
    if header != HEADER:
        raise DataError(
            f"The calendar file {file.name} must begin with the header {','.join(HEADER)}.", next_step=_ANEW
        )
    return calendar_of([_period(file, line, row) for line, row in enumerate(rows, start=2)])


def _period(file: Path, line: int, row: list[str]) -> FiscalPeriod:
    try:
        key, start, end, adjustment = row
        return from_iso(key, start, end, adjustment=_YES_NO[adjustment])
    except (ValueError, KeyError, DataError):
        raise DataError(
            f"Line {line} of the calendar file {file.name} is no period: {','.join(row)[:80]}.",
            holds="Nothing was read or sent.",
            next_step="Write it like FY2026-P03,2025-11-23,2025-12-27,no; or take the file from the ERP again with `mlc calendar sync`.",
        ) from None


def write_calendar(file: Path, calendar: FiscalCalendar) -> None:
    """The file that `read_calendar` reads, put in place as a whole."""
    draft = file.with_name(f".{file.name}.draft")
    with draft.open("w", encoding="utf-8", newline="") as sink:
        rows = csv.writer(sink, lineterminator="\n")
        rows.writerow(HEADER)
        for one in calendar.periods:
            days = [date.isoformat(one.start_on), date.isoformat(one.end_on)]
            rows.writerow([one.key, *days, "yes" if one.adjustment else "no"])
    draft.replace(file)

"""The chart of accounts as rows: the chart, its segments, their values, and the categories of accounts. Both companies have the same one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.setup_rows import COMPANIES, Given, maker
from mlc_pipelines.sandbox.ironvale.shapes import Value

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

SEGMENT_NAMES = {chart.ACCOUNT: "Chart", chart.DEPT: "Dept", chart.PLANT: "Plant"}


def _charts(books: "Ironvale") -> Given:
    for company, *_ in COMPANIES:
        yield {
            "Company": company,
            "COACode": chart.COA,
            "Description": "Chart of accounts",
            "SeparatorChar": "-",
            "PerBalFmt": books.balance_segments,
            "TBBalFmt": books.balance_segments,
            "CtrlSegList": "1~2",
            "NbrSegments": 3,
            "ChartLength": 4,
        }


def _segments(books: "Ironvale") -> Given:
    """Departments are kept in balances in detail, or not at all; plants never."""
    for company, *_ in COMPANIES:
        for number, name in SEGMENT_NAMES.items():
            detail = number == chart.ACCOUNT or (number == chart.DEPT and books.balance_segments == "1~2")
            yield {
                "Company": company,
                "COACode": chart.COA,
                "SegmentNbr": number,
                "SegmentName": name,
                "Abbreviation": name[:4],
                "MaxLength": {chart.ACCOUNT: 4, chart.DEPT: 3, chart.PLANT: 2}[number],
                "MinLength": 0 if number > chart.ACCOUNT else 2,
                "Dynamic": number == chart.PLANT,
                "AllowAlpha": number != chart.DEPT,
                "EntryControl": 0 if number == chart.ACCOUNT else 1,
                "Level": number,
                "SummaryBal": number == chart.ACCOUNT,
                "DetailBal": detail,
                "KeepOpenBal": number == chart.DEPT and detail,
                "DisplayOrder": number,
                "SiteSegment": number == chart.PLANT,
            }


def _values(books: "Ironvale") -> Given:
    for company, *_ in COMPANIES:
        for segment, values in books.values.items():
            for value in values.values():
                yield {"Company": company, **_value(books, value, SEGMENT_NAMES[segment])}


def _value(books: "Ironvale", value: Value, segment: str) -> Mapping[str, Any]:
    category = books.categories.get(value.category)
    return {
        "COACode": chart.COA,
        "SegmentNbr": value.segment,
        "SegmentCode": value.code,
        "SegmentName": value.name,
        "SegmentDesc": value.name,
        "SegmentAbbrev": value.name[:10],
        "ActiveFlag": value.active,
        "EffectiveFrom": value.since,
        "EffectiveTo": value.until,
        "Category": value.category,
        "NormalBalance": category.normal if category else "",
        "Statistical": 1 if value.unit else 0,
        "StatUOMCode": value.unit,
        "LinkedPlant": chart.PLANTS[value.code][0] if value.segment == chart.PLANT else "",
        "SegNbrName": segment,
        "SysRevID": value.rev,
    }


def _categories(books: "Ironvale") -> Given:
    for company, *_ in COMPANIES:
        for at, category in enumerate(books.categories.values(), start=1):
            yield {
                "Company": company,
                "COACode": chart.COA,
                "CategoryID": category.code,
                "Description": category.name,
                "Type": category.type,
                "NormalBalance": category.normal,
                "Sequence": at * 10,
                "NetIncome": category.type == "I",
            }


MAKERS = {
    "COA": maker("COA", _charts),
    "COASegment": maker("COASegment", _segments),
    "COASegValues": maker("COASegValues", _values),
    "COAActCat": maker("COAActCat", _categories),
}

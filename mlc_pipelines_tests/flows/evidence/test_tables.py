"""Tables for people: no text of theirs is taken for a formula, and no figure loses a digit."""

import csv
import io
import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlc_pipelines.flows.evidence.tables import csv_of, harmless

DANGEROUS = re.compile(
    r"""^[\s\0\u200b\ufeff"]*[=+\-@＝＋－＠]"""
)  # what a spreadsheet passes over, and then a formula
TEXTS = st.text(
    st.sampled_from("=+-@＝＋－＠\t\r\n\0\x0b\x85;,|\"'` aé0_٣東😀\u00a0\u200b\u2028\ufeff\u202e"), max_size=12
)


def written(frame: pd.DataFrame) -> str:
    return csv_of(frame).decode("utf-8-sig")


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["=cmd|'/C calc'!A0"])
@example(['x";=1+1'])
@example([";;=1+1"])
@example(["  \u200b@SUM(A1)"])
@example(["\t=1", "\r\n+1", "a\n-1", "１＋１"])
def test_K16_no_text_is_taken_for_a_formula(texts: list[str]) -> None:
    """However a spreadsheet cuts the file: at commas, semicolons or tabs, with its quotes heeded or not."""
    whole = written(pd.DataFrame({"=title": texts, "figure": [Decimal("-1.50")] * len(texts)}))
    for cut in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(whole, newline=""), delimiter=cut):
            for field in row:
                assert not DANGEROUS.match(field) or re.fullmatch(r"-?\d+(\.\d+)?", field), (cut, field)


@pytest.mark.parametrize(
    "text", ["Rent", "Travel & meals", "a-b", "0010", "x=1", "A1010", "", "1,204.50", "ann@example.com", "Zürich 東京"]
)
def test_K16_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert text == harmless(text)


def test_figures_are_exact() -> None:
    """Plain, with all their digits, negative ones too; a code keeps its zeros."""
    frame = pd.DataFrame({"account": ["0010"], "amount": [Decimal("-90071992547409.93")], "lines": [3], "good": [True]})
    assert '"account","amount","lines","good"\r\n"0010",-90071992547409.93,3,"yes"\r\n' == written(frame)

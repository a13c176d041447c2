"""The filters that keep ranges of keys together mean what they say, for any keys."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.acumatica.records import any_of, beyond, in_order, quoted, within
from mlc_pipelines.sandbox.acumatica import filters
from mlc_pipelines.sandbox.acumatica.wire import Record

CODES = st.text("aB1-' é", min_size=1, max_size=3)
KEYS = st.lists(st.tuples(CODES, CODES, st.integers(-3, 3)), min_size=1, max_size=12, unique=True)
FIELDS = {"A": "s", "B": "s", "C": "i"}


def literals(key: tuple[str, str, int]) -> list[str]:
    return [quoted(key[0]), quoted(key[1]), str(key[2])]


def found(text: str, keys: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """The keys that the sandbox's own reading of the filter lets through."""
    test = filters.parse(text, FIELDS, ignore_case=False)
    return [key for key in keys if test(Record("", dict(zip(FIELDS, key, strict=True))))]


@settings(max_examples=60)
@given(KEYS, st.data())
def test_a_closed_range_holds_its_keys_and_no_others(keys: list[tuple[str, str, int]], data: st.DataObject) -> None:
    """From the first to the last key, both included, compared field by field."""
    keys.sort()
    at = data.draw(st.integers(0, len(keys) - 1))
    to = data.draw(st.integers(at, len(keys) - 1))
    names = list(FIELDS)
    assert keys[at : to + 1] == found(within(names, literals(keys[at]), literals(keys[to])), keys)
    assert keys[at + 1 :] == found(beyond(names, literals(keys[at]), "gt"), keys)
    assert keys[at:to] == found(any_of(names, [literals(key) for key in keys[at:to]]) or "1 eq 2", keys)


def test_keys_sort_as_most_sites_sort_them() -> None:
    """Numbers by size, texts without regard to case: else nearly every record would be asked for by name."""
    assert [("a", 2), ("B", 9), ("B", 10), ("c", 1)] == sorted([("c", 1), ("B", 10), ("a", 2), ("B", 9)], key=in_order)

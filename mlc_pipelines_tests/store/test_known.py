"""Ids by name: what was known before is told, what is too old is not, and two processes may write the same down."""

from mlc_pipelines.store.home import Store
from mlc_pipelines.store.known import KnownIds


def test_the_newest_id_counts_and_the_one_before_is_told(store: Store) -> None:
    """So that the caller can say that a name has come to mean something else."""
    known = store.known_ids
    assert "" == known.keep("there imports", "Load", "112000000001")
    assert "112000000001" == known.keep("there imports", "Load", "112000000009")
    assert "112000000009" == known.recall("there imports", "Load", younger_than_seconds=60)


def test_places_and_names_are_told_apart(store: Store) -> None:
    """The same name in another model, or of another thing, is another entry."""
    store.known_ids.keep("there imports", "Load", "1")
    assert "" == store.known_ids.recall("there exports", "Load", younger_than_seconds=60)
    assert "" == store.known_ids.recall("there imports", "load", younger_than_seconds=60)


def test_what_is_too_old_or_from_the_future_is_not_recalled(store: Store) -> None:
    """A clock that was wrong must not make a hint live for ever."""
    KnownIds(store.engine, clock=lambda: 1000.0).keep("there", "Load", "1")
    for now, found in ((1059.0, "1"), (1060.0, ""), (999.0, "")):
        assert found == KnownIds(store.engine, clock=lambda now=now: now).recall(
            "there", "Load", younger_than_seconds=60
        )

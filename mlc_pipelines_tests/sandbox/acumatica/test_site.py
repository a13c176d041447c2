"""The switches of a site, and its seats."""

import pytest

from mlc_pipelines.sandbox.acumatica import SWITCHES


def test_switches_have_defaults_that_they_allow(rig):
    """So that what was read can be set again."""
    assert set(SWITCHES) == set(rig.site.switches)
    rig.site.set_switches(dict(rig.site.switches))
    assert {name: switch.default for name, switch in SWITCHES.items()} == rig.site.switches


@pytest.mark.parametrize(
    "changes",
    [
        {"ordre": "stable"},
        {"order": "any"},
        {"drop_rows": -1},
        {"drop_rows": True},
        {"pretty_json": 1},
        {"versions": "x"},
    ],
)
def test_a_switch_that_does_not_exist_or_fit_is_refused_by_name(rig, changes):
    """And nothing is changed, not even the good ones beside it."""
    before = dict(rig.site.switches)
    with pytest.raises(ValueError, match=next(iter(changes))):
        rig.site.set_switches({"max_sessions": 5} | changes)
    assert before == rig.site.switches


def test_reset_puts_every_switch_back(rig):
    """Lists too."""
    rig.site.set_switches({"versions": ["24.200.001"], "max_sessions": 2})
    rig.site.reset_switches()
    assert ("20.200.001", None) == (rig.site.switches["versions"][0], rig.site.switches["max_sessions"])


def test_a_restart_of_the_site_frees_every_seat(rig):
    """The usual last remedy against leaked sessions."""
    rig.grant()
    rig.grant()
    assert 2 == rig.site.sessions_open()
    rig.site.close_all()
    assert 0 == rig.site.sessions_open()

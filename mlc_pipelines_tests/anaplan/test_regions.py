"""Where Anaplan answers: the addresses of each region as the sheets give them."""

import pytest

from mlc_pipelines.anaplan.regions import REGIONS, Addresses, addresses
from mlc_pipelines.ledger.errors import SetupError

OLD = Addresses(
    "https://auth.anaplan.com",
    "https://api.anaplan.com/2/0",
    "https://us1a.app.anaplan.com",
    "https://api.cloudworks.anaplan.com/2/0",
)


@pytest.mark.parametrize("region", ["us1", "us1a", "us2", "eu1", "eu2a", "eu4", "ap1"])
def test_older_regions_share_their_addresses(region: str) -> None:
    """No prefix; OAuth at us1a."""
    assert OLD == addresses(region)


@pytest.mark.parametrize("region", ["us9", "eu3", "eu5", "gb1", "sg1", "ae1", "in1", "id1", "me1"])
def test_newer_regions_have_a_prefix(region: str) -> None:
    """The same one everywhere."""
    assert Addresses(
        f"https://{region}.auth.anaplan.com",
        f"https://{region}.api.anaplan.com/2/0",
        f"https://{region}.app.anaplan.com",
        f"https://{region}.api.anaplan.com/cloudworks/2/0",
    ) == addresses(region)


@pytest.mark.parametrize("region", ["ca1", "ca1a"])
def test_canada_has_a_letter_more(region: str) -> None:
    """ca1a, however it is written."""
    found = addresses(region)
    assert ("https://ca1a.auth.anaplan.com", "https://ca1a.api.anaplan.com/2/0") == (found.auth_url, found.api_url)
    assert "https://ca1a.app.anaplan.com" == found.oauth_url


@pytest.mark.parametrize("region", ["au1", "au1a"])
def test_australia_answers_under_other_names(region: str) -> None:
    """Log-in and OAuth at app2, data at api2."""
    found = addresses(region)
    assert ("https://au1a.app2.anaplan.com", "https://au1a.api2.anaplan.com/2/0") == (found.auth_url, found.api_url)
    assert "https://au1a.app2.anaplan.com" == found.oauth_url


@pytest.mark.parametrize("region", ["us3", "US9", "us9.evil.example", "", "a", "us9aa"])
def test_an_unknown_region_is_answered_with_the_known_ones(region: str) -> None:
    """No address is made up from it."""
    with pytest.raises(SetupError, match=r"us9.*au1a") as caught:
        addresses(region)
    assert "auth_url" in caught.value.next_step


def test_every_known_region_has_four_addresses_of_anaplan() -> None:
    """All https, all below anaplan.com."""
    for region in REGIONS:
        found = addresses(region)
        for url in (found.auth_url, found.api_url, found.oauth_url, found.cloudworks_url):
            assert url.startswith("https://")
            assert url.partition("://")[2].partition("/")[0].endswith(".anaplan.com")

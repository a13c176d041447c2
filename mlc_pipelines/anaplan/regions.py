"""Where Anaplan answers, region by region [S OAS: servers of authentication, oauth, integration and cloudworks; verified there June to August 2026]."""

from dataclasses import dataclass

from mlc_pipelines.ledger.errors import SetupError

_OLD = ("us1", "us2", "us5", "us7", "eu1", "eu2", "eu4", "ap1")
_NEW = ("us9", "eu3", "eu5", "gb1", "sg1", "ae1", "in1", "id1", "me1", "ca1a")
REGIONS = (*_OLD, *_NEW, "au1a")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The four services of one region; their paths included."""

    auth_url: str
    api_url: str
    oauth_url: str
    cloudworks_url: str


def addresses(region: str) -> Addresses:
    """The addresses of a region such as us9; also ca1, us1a and the like, as people write them. Raises SetupError naming all known ones."""
    for known in (region, f"{region}a", region.removesuffix("a")):
        if known in _OLD:
            return Addresses(
                "https://auth.anaplan.com",
                "https://api.anaplan.com/2/0",
                "https://us1a.app.anaplan.com",
                "https://api.cloudworks.anaplan.com/2/0",
            )
        if known in _NEW:
            return Addresses(
                f"https://{known}.auth.anaplan.com",
                f"https://{known}.api.anaplan.com/2/0",
                f"https://{known}.app.anaplan.com",
                f"https://{known}.api.anaplan.com/cloudworks/2/0",
            )
        if known == "au1a":
            return Addresses(
                "https://au1a.app2.anaplan.com",
                "https://au1a.api2.anaplan.com/2/0",
                "https://au1a.app2.anaplan.com",
                "https://au1a.api2.anaplan.com/cloudworks/2/0",
            )
    raise SetupError(
        f"`anaplan.region` is {region!r}, which is not known here; known are {', '.join(REGIONS)}.",
        holds="Nothing was called.",
        next_step="Correct it, or give the addresses themselves: `auth_url`, `api_url`, and `oauth_url` and `cloudworks_url` where they are used.",
    )

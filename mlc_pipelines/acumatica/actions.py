"""Actions of a form, such as the release of a journal: sent once, then waited for where the site says.

202 names a status address that answers 202 until the operation has ended, then 204, or the error it failed with. 204 at once is
done; a Location beside it is dead and is not followed [S DOC; C acumatica-cli, live]. What the site says is never the proof: the
caller reads the record's status afterwards.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mlc_pipelines.acumatica import wire
from mlc_pipelines.acumatica.config import AcumaticaConfig
from mlc_pipelines.ledger.errors import DataError, PipelineError, UncertainError
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Caller

_DONE, _RUNNING = 204, 202
POLL_SECONDS = 2.0
POLLS_MAX = 300
_LOOK = "Look at the record in Acumatica before anything else is done with it."


def invoke(
    caller: Caller, config: AcumaticaConfig, path: str, keys: Mapping[str, Any], sleep: Callable[[float], None]
) -> None:
    """Invoke an action ("/entity/Default/24.200.001/JournalTransaction/ReleaseJournalTransaction") on the record of these keys.

    Raises what it was refused with, DataError when the operation failed, UncertainError when its end could not be seen.
    """
    answer = caller.write("POST", path, expect=(200, _RUNNING, _DONE), json={"entity": wire.wrap(keys)})
    if answer.status == _RUNNING:
        _wait(caller, _status_address(answer, config), sleep)


def _wait(caller: Caller, address: str, sleep: Callable[[float], None]) -> None:
    for _ in range(POLLS_MAX):
        try:
            answer = caller.read("GET", address, expect=(_RUNNING, _DONE))
        except DataError as error:
            raise error.within(holds="The operation failed; read the record to see what it left.") from None
        except PipelineError as error:
            raise UncertainError(
                f"The operation was started, but its end cannot be seen: {error.what}",
                holds="It may still be carried out.",
                next_step=_LOOK,
            ) from None
        if answer.status == _DONE:
            return
        sleep(POLL_SECONDS)
    raise UncertainError(
        f"The operation behind {urlsplit(address).path} had not ended after {POLLS_MAX * POLL_SECONDS / 60:.0f} minutes.",
        holds="It may still be carried out.",
        next_step=_LOOK,
    )


def _status_address(answer: Answer, config: AcumaticaConfig) -> str:
    """The Location on the site's own origin: a path from the root that already holds the virtual directory [C GRP, JB]."""
    said = answer.headers.get("location", "")
    site, target = urlsplit(config.site), urlsplit(said)
    same_origin = not target.netloc or (target.scheme, target.netloc) == (site.scheme, site.netloc)
    if not same_origin or not target.path.startswith(f"{site.path}/entity/") or ".." in target.path.split("/"):
        raise UncertainError(
            f"{answer.call} answered 202 with the status address {said.partition('?')[0]!r}, which is none of this site.",
            holds="The operation was started; its end cannot be seen.",
            next_step=_LOOK,
        )
    return f"{site.scheme}://{site.netloc}{target.path}"

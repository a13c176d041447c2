"""The door that an ERP knocks at: push notifications, one address per connection. Kept durably before they are answered.

An answer of 2xx ends the sender's tries; every other one makes it try again (Acumatica: five times) and then show the notification to
its administrator. So whatever cannot be used is refused, in words, and nothing that was refused is kept.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mlc_pipelines.acumatica.push import PushRule, read_notice
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.erps import AcumaticaErp, Push

PUSH_SECRET = "header_value"  # noqa: S105  the name of the field in the vault
_BODY_BYTES_MAX = 4 << 20
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """What one connection expects of whoever knocks."""

    connection: str
    header: str
    secret: Secret
    rule: PushRule


def doors(named: Sequence[Named], store: Store) -> tuple[dict[str, Door], list[SetupError]]:
    """The connections that declare `erp.push`, by name, and what is wrong with those whose shared secret cannot be opened."""
    found: dict[str, Door] = {}
    problems: list[SetupError] = []
    for one in named:
        erp = one.settings.erp
        if isinstance(erp, AcumaticaErp) and erp.push is not None:
            try:
                found[one.name] = _door(one.name, erp.tenant, erp.push, store)
            except SetupError as error:
                problems.append(error)
    return found, problems


def _door(connection: str, tenant: str, push: Push, store: Store) -> Door:
    opened = store.vault.open(push.credential)
    if PUSH_SECRET not in opened:
        raise SetupError(
            f"{connection}: credential {push.credential!r} lacks {PUSH_SECRET}.",
            next_step=f"Store the header value of SM302000: `mlc secrets set {push.credential} --field {PUSH_SECRET}`.",
        )
    rule = PushRule(
        tenant=tenant,
        query=push.query,
        period_field=push.period_field,
        period_format=push.period_format,
    )
    return Door(connection, push.header, opened[PUSH_SECRET], rule)


def receiver(known: dict[str, Door], store: Store) -> Starlette:
    """POST /push/CONNECTION takes a notification; GET /health says that somebody listens."""

    async def push(request: Request) -> Response:
        door = known.get(request.path_params["connection"])
        # The same answer for a connection that does not exist: nobody can find out names by asking.
        if door is None or not door.secret.equals(request.headers.get(door.header, "")):
            return PlainTextResponse("The shared secret in the header is missing or wrong.", status_code=401)
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"More than {_BODY_BYTES_MAX:,} bytes.", status_code=413)
        return await run_in_threadpool(_keep, door, body, store)

    async def health(_: Request) -> Response:
        return PlainTextResponse("listening")

    return Starlette(
        routes=[Route("/push/{connection}", push, methods=["POST"]), Route("/health", health, methods=["GET"])]
    )


async def _body(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is too large, whatever its header promised."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _BODY_BYTES_MAX:
            return None
    return body


def _keep(door: Door, body: bytes, store: Store) -> Response:
    try:
        notice = read_notice(body, door.rule)
        new = store.notices.keep(door.connection, notice.query, notice.id, notice.stamp, notice.periods)
    except DataError as error:
        _LOG.warning("%s: %s", door.connection, error)
        return PlainTextResponse(str(error), status_code=422)
    except sa.exc.SQLAlchemyError as error:
        _LOG.error("%s: the notification could not be kept (%s)", door.connection, type(error).__name__)
        return PlainTextResponse("It could not be kept; send it again.", status_code=503)
    periods = ", ".join(notice.periods) or "no period"
    _LOG.info("%s: %s%s", door.connection, periods, "" if new else " (seen before)")
    return Response(status_code=204)

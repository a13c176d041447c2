"""What the handlers of the control door share: plain data in and out, an objection as a 400 with its reason, amounts that are exact."""

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Answer = Callable[[Request], Awaitable[Any]]


def answering(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """A handler as an endpoint: data becomes JSON, an objection becomes a 400."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except KeyError as error:
            return JSONResponse({"error": f"missing or unknown: {error.args[0]}"}, status_code=400)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return endpoint


async def body(request: Request) -> Any:
    """The JSON body, its numbers exact."""
    return json.loads(await request.body(), parse_float=Decimal)


def minor(amount: str | int | Decimal) -> int:
    """Cents of an amount like "10.00"; ValueError when it is negative, finer than a cent, or no amount."""
    text = str(amount)
    whole, _, fraction = text.partition(".")
    if not (whole.isdecimal() and (fraction or "0").isdecimal() and len(fraction) <= 2):
        raise ValueError(f"{text!r} is no amount of dollars and cents")
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


def signed_minor(amount: str | int | Decimal) -> int:
    """The same, for an amount that may be negative."""
    text = str(amount)
    return -minor(text[1:]) if text.startswith("-") else minor(text)

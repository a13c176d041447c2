"""What all sections of a connection file are made of."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Text = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(max_length=250)]  # a key pasted in its place is longer, and is refused unshown
Port = Annotated[int, Field(ge=0, le=65535)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)

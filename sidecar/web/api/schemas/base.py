"""What all shapes are made of."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
ItemId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
T = TypeVar("T")


class Shape(BaseModel):
    """An answer: these fields, no more and no fewer."""

    model_config = ConfigDict(extra="forbid")


class Listed(Shape, Generic[T]):
    """One page of a list, and how much there is in all."""

    items: list[T]
    total: int
    page: int
    page_size: int

"""The base class and field helpers of the API's schemas, and the conversion of values to JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    TypeAdapter,
    WithJsonSchema,
    computed_field,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

Json = Mapping[str, object]
T = TypeVar("T")


def moment(at: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 with a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime, PlainSerializer(moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
# Documented, not validated: a malformed id in our own data must not make the answer fail.
ItemId = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{32}$"})]
Fraction = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Tenths = Annotated[float, PlainSerializer(lambda number: round(number, 1), return_type=float)]


class Schema(BaseModel):
    """Base class of answers, made from a value with the same attributes; no other fields."""

    # Built when first used: there are hundreds of them, and the first page needs none.
    model_config = ConfigDict(
        defer_build=True,
        extra="forbid",
        from_attributes=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Listed(Schema, Generic[T]):
    """One page of a list, and the total number of entries."""

    items: list[T]
    total: int
    page: int
    page_size: int

    @model_validator(mode="before")
    @classmethod
    def _all_on_one_page(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return {"items": value, "total": len(value), "page": 1, "page_size": len(value)}
        return value


class DeviceName(Schema):
    """The id and name of a device."""

    id: str
    name: str


class OfDevice(Schema):
    """Base class of answers about a device, which is an object of its own in JSON."""

    device_id: str = Field(exclude=True)
    device_name: str = Field(exclude=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def device(self) -> DeviceName:
        """Which device."""
        return DeviceName(id=self.device_id, name=self.device_name)


class WrittenAsItIs:
    """Marks a field of very many values, which are written without a look at each.

    They are tuples of data classes with at least the attributes of the schema's data class; not of
    a `Schema`, of which pydantic would want instances.
    """

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: Any,  # noqa: ANN401 - a type
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Take any value; document and write it as its schema says."""
        return core_schema.json_or_python_schema(handler(source), core_schema.any_schema())


def taken_from(path: str) -> Any:  # noqa: ANN401 - the default of a field of any type
    """Declare that a field is read from another attribute path, such as `management.managers`."""
    return Field(validation_alias=AliasPath(*path.split(".")))


def left_out_if_empty(path: str) -> Any:  # noqa: ANN401 - the default of a field of any type
    """Declare the same of a field that is left out of the JSON if its value is falsy."""
    return Field(
        default=None,
        validation_alias=AliasPath(*path.split(".")),
        exclude_if=lambda value: not value,
    )


def left_out_if_unset(path: str) -> Any:  # noqa: ANN401 - the default of a field of any type
    """Declare the same of a field that is left out of the JSON if it is None."""
    return Field(
        default=None,
        validation_alias=AliasPath(*path.split(".")),
        exclude_if=lambda value: value is None,
    )


def to_json(schema: Any, value: object) -> Any:  # noqa: ANN401 - a type, and JSON
    """Convert a value to JSON-compatible data of this schema."""
    adapter = _adapter(schema)
    return adapter.dump_python(adapter.validate_python(value, from_attributes=True), mode="json")


def write_json(schema: Any, value: object) -> bytes:  # noqa: ANN401 - a type
    """Return a value as JSON text of this schema, without the objects in between."""
    adapter = _adapter(schema)
    return adapter.dump_json(adapter.validate_python(value, from_attributes=True)) + b"\n"


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type
    return TypeAdapter(schema)

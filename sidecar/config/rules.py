"""The sections `[rules.NAME]`, generated from the settings class of each rule in the registry.

They validate `config.toml`, the environment, and the changes for one device.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import Field, GetPydanticSchema, ValidationError, create_model

from sidecar.config.base import Duration, Section, explain_invalid
from sidecar.domain.rules.context import Rule, RuleSettings
from sidecar.domain.rules.registry import RULES
from sidecar.errors import ConfigError
from sidecar.messages import msg

S = TypeVar("S", bound=RuleSettings)


class RulesSettings(Section):
    """One section for each rule."""

    def of(self, rule: Rule[S]) -> S:
        """Return the settings of a rule."""
        section: Section = getattr(self, rule.name)
        return rule.settings(**section.model_dump())

    def check_keys(self, rule: Rule[S], keys: Iterable[str]) -> None:
        """Check that a rule has these settings.

        Raises:
            ConfigError: It does not have one of them.
        """
        for key in keys:
            if key not in SECTIONS[rule.name].model_fields:
                raise ConfigError(f"rules.{rule.name}", key, None, msg("there is no such setting"))

    def with_changes(self, rule: Rule[S], changes: Mapping[str, object]) -> S:
        """Return the settings of a rule with changes, whose values are as in the file.

        Raises:
            ConfigError: A key or a value is wrong.
        """
        section: Section = getattr(self, rule.name)
        try:
            checked = SECTIONS[rule.name].model_validate({**section.model_dump(), **changes})
        except ValidationError as error:
            raise explain_invalid(f"rules.{rule.name}", error, changes) from None
        return rule.settings(**checked.model_dump())


def _make_section(rule: Rule[Any]) -> type[Section]:
    kinds = {"bool": bool, "int": int, "timedelta": Duration}
    keys: dict[str, Any] = {
        one.name: (kinds[str(one.type)], Field(default=one.default, **one.metadata))
        for one in fields(rule.settings)
    }
    return create_model(rule.name, __base__=Section, __doc__=rule.settings.__doc__, **keys)


SECTIONS: Mapping[str, type[Section]] = MappingProxyType(
    {one.name: _make_section(one) for one in RULES}
)
_keys: dict[str, Any] = {name: (section, section()) for name, section in SECTIONS.items()}
ALL_RULES: type[RulesSettings] = create_model("RulesSettings", __base__=RulesSettings, **_keys)
AnyRules = Annotated[RulesSettings, GetPydanticSchema(lambda _, handler: handler(ALL_RULES))]

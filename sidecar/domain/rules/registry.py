"""The registry of rules: finds every module of this package that has a `RULE`.

A new rule is one new file here; settings, pages and plan read the registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from sidecar.domain import rules
from sidecar.domain.rules.context import ComputedRule, Rule, RuleSettings
from sidecar.domain.wishes import PIN, EvictionClass


def register(found: Iterable[object]) -> tuple[Rule[Any], ...]:
    """Return rules in their order.

    Raises:
        TypeError: One of them is no rule, or lacks an attribute.
    """
    registered: dict[str, Rule[Any]] = {}
    for one in found:
        if not isinstance(one, Rule):
            raise TypeError(f"{one!r} is not a rule")
        if missing := list(_list_missing(one)):
            raise TypeError(f"the rule {one.name} does not say: {', '.join(missing)}")
        if one.name in registered or one.name == PIN:
            raise TypeError(f"there is more than one rule {one.name}")
        registered[one.name] = one
    return tuple(sorted(registered.values(), key=lambda one: (one.order, one.name)))


def _list_missing(rule: Rule[Any]) -> Iterator[str]:
    """Yield the missing attributes of a rule; the type checker does not see all callers."""
    if not re.fullmatch("[a-z][a-z_]*", rule.name):
        yield "a name that can stand in a settings file"
    if not (isinstance(rule.strength, EvictionClass) and rule.strength > EvictionClass.NOTHING):
        yield "its strength"
    for text in ("label", "description", "icon"):
        if not getattr(rule, text):
            yield f"its {text}"
    if not issubclass(rule.settings, RuleSettings):
        yield "its settings"
        return
    for setting in fields(rule.settings):
        if not setting.metadata.get("title"):
            yield f"the label of {setting.name}"


def _iterate_package() -> Iterator[object]:
    for module in iter_modules(rules.__path__, f"{rules.__name__}."):
        if module.name != __name__:
            yield from filter(None, [getattr(import_module(module.name), "RULE", None)])


RULES: tuple[Rule[Any], ...] = register(_iterate_package())
RULE_OF: Mapping[str, Rule[Any]] = MappingProxyType({one.name: one for one in RULES})
COMPUTED_RULES: tuple[ComputedRule[Any], ...] = tuple(
    one for one in RULES if isinstance(one, ComputedRule)
)

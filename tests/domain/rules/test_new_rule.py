"""Adding a rule is adding one file: the rest of the product finds in it all that it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RULE = '''
from __future__ import annotations

from dataclasses import dataclass

from sidecar.domain.rules.context import (
    ComputedRule, Context, RuleSettings, Wake, Wanted, whole_number_setting,
)
from sidecar.domain.wishes import EvictionClass, Reason
from sidecar.messages import translatable

NAME = "short_albums"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortAlbumsSettings(RuleSettings):
    """What counts as short."""

    most: int = whole_number_setting(3, least=1, most=9, label=translatable("Tracks at most"))


def make_wishes(context: Context[ShortAlbumsSettings]) -> Wanted:
    """Return wishes for all short albums among the newest."""
    listed = context.library.latest_albums(context.settings.most)
    why = Reason(NAME, "a" * 32, "on a short album")
    return Wanted(tuple(context.wish(one, why) for one in listed.playable))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Short albums"),
    description=translatable("Albums of a few tracks."),
    icon="disc-3",
    strength=EvictionClass.AFFINITY,
    order=90,
    settings=ShortAlbumsSettings,
    wakes_on=frozenset({Wake.HOUR}),
    wishes=make_wishes,
)
'''
PROGRAM = """
import sys
from pathlib import Path

import sidecar.domain.rules

folder = Path(sys.argv[1])
sidecar.domain.rules.__path__.append(str(folder))

from sidecar.config import DeviceSettings, load
from sidecar.domain.rules.context import Context
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.registry import RULE_OF, RULES
from sidecar.domain.space.eviction import is_cooling_down
from sidecar.domain.wishes import EvictionClass
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.downloads.views import ReasonView
from sidecar.services.health.problems import Problems
from sidecar.services.rules.explain import Explainer
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.settings.view import device_settings_view
from sidecar.services.rules.wishes import WishService
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.settings import RuleSettingsStore
from sidecar.store.rules.tombstones import Tombstones
from sidecar.web.i18n import labels
from sidecar.web.i18n.status_labels import reason_icon
from tests.fakes.libraries.rule_library import RuleLibrary
from tests.fakes.clock import FakeClock
from tests.services.conftest import ANN, STICK, opened, track

environ = {"SIDECAR_SERVER__DATA_DIR": str(folder), "SIDECAR_RULES__SHORT_ALBUMS__MOST": "5"}
rule, song = RULE_OF["short_albums"], track(1)
assert RULES[-1] is rule
with opened(folder, FakeClock()) as world:
    settings = load(environ)
    devices = DeviceSettingsService(
        [DeviceSettings(name="Car stick", path=folder / "stick")],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=lambda _device: None,
        bus=world.bus,
    )
    rules = RuleSettingsService(lambda: settings.rules, RuleSettingsStore(world.db))
    set_here = rules.of(rule, STICK)
    assert set_here.most == 5

    class Newest(RuleLibrary):
        def latest_albums(self, count):
            return ListedItems((song,), complete=True)

    context = Context(
        user_id=ANN, device_id=STICK, settings=set_here, now=world.clock.now(), library=Newest()
    )
    WishService(world.db, world.holds, world.downloads, world.clock).hold(
        rule.wishes(context).wishes, lambda _ids: {song.id: song}
    )
    assert Inventory(world.db).get_eviction_class(STICK, song.id) is EvictionClass.AFFINITY
    assert is_cooling_down(rule.name)

    view = device_settings_view(
        ANN,
        STICK,
        management=Management(may_manage=True),
        devices=devices,
        rules=rules,
        holds=world.holds,
        remarks=lambda *_: {},
    )
    shown = view.rules[-1]
    assert (shown.name, shown.because) == (rule.name, ("on a short album",))
    assert "Tracks at most" in [labels.setting(one.key) for one in shown.settings]
    assert reason_icon([ReasonView(rule.name, "ann", "because")]) == "disc-3"

    explainer = Explainer(
        stores=world.stores,
        problems=Problems(world.bus),
        devices=devices,
        rules=rules,
        names=lambda: {ANN: "ann"},
        clock=world.clock,
    )
    ann = Person(ANN, "ann", is_admin=False)
    told = explainer.why(ann, STICK, song.id).sentences
    assert "Needed for you: on a short album." in told, told
    rules.change(rule, STICK, {"enabled": False})
    assert str(rule.label) in explainer.why(ann, STICK, "9" * 32).sentences[-1]
"""


def test_a_rule_in_one_file_is_in_settings_page_plan_and_explanation(tmp_path: Path) -> None:
    (tmp_path / "short_albums.py").write_text(RULE)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

"""The one place where objects meet, and where threads start and stop.

    config → data folder's lock → database → devices → queue put in order → web → workers,
    reporter, keeper, a listener for each account

Stopping is the exact reverse. Importing this starts nothing.
"""

from __future__ import annotations

import logging
import random
from contextlib import ExitStack
from threading import Event
from types import TracebackType
from typing import Self

from sidecar.clock import Clock, SystemClock
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.events import AccountChanged, Bus, WorkArrived
from sidecar.events import Event as News
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts import AccountDesk
from sidecar.services.covers import Covers
from sidecar.services.crew import Crew
from sidecar.services.devices import DeviceShelf
from sidecar.services.downloading import Bell, Claims, Worker
from sidecar.services.failing import Failing
from sidecar.services.following import Following
from sidecar.services.front_desk import FrontDesk
from sidecar.services.keeping import Keeping
from sidecar.services.planning import Planning
from sidecar.services.progress import Transfers
from sidecar.services.server import ServerWatch
from sidecar.services.settling import Settling
from sidecar.services.troubles import Troubles
from sidecar.store.accounts import Accounts
from sidecar.store.api_keys import ApiKeys
from sidecar.store.database import Database
from sidecar.store.devices import Devices
from sidecar.store.downloads import Downloads
from sidecar.store.hearts import Hearts
from sidecar.store.holds import Holds
from sidecar.store.meta import Meta
from sidecar.store.sessions import Sessions
from sidecar.transfer.http import HttpEngine
from sidecar.web.app import WebOptions, create_app
from sidecar.web.server import WebServer

log = logging.getLogger(__name__)

DATABASE = "sidecar.db"
KEY_FILE = "token.key"
STOP_WITHIN_S = 8.0

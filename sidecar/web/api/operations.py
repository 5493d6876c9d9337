"""What each route of the API takes and answers: one row for each route and verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import BaseModel

from sidecar.domain.downloads.states import Status
from sidecar.domain.kinds import TYPES
from sidecar.services.library.browse import BrowseSort
from sidecar.web.api import (
    adoption,
    api_keys,
    download_bodies,
    plans,
    preferences,
    removals,
    schemas,
    transfers,
)
from sidecar.web.request import json_body

Json = dict[str, object]
TEXT: Json = {"type": "string", "maxLength": 200}
PAGE: Json = {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1}
PAGE_SIZE: Json = {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
PAGING: Mapping[str, Json] = MappingProxyType({"page": PAGE, "page_size": PAGE_SIZE})
KINDS: Json = {"type": "array", "items": {"type": "string", "enum": [str(one) for one in TYPES]}}
STATES: Json = {"type": "array", "items": {"type": "string", "enum": [str(one) for one in Status]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one route and verb does.

    Attributes:
        answer: The shape of what is answered; None for nothing at all.
        also: Another shape that may be answered.
        body: What is sent; None for nothing.
        needs_body: False if the body may be left out.
        query: The arguments in the address, by name.
        media: What is answered if it is not JSON.
    """

    summary: str
    answer: type[BaseModel] | None = None
    also: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    needs_body: bool = True
    query: Mapping[str, Json] = field(default_factory=dict)
    media: str | None = None


Table = Mapping[tuple[str, str], Operation]


def _action(summary: str, body: type[BaseModel], *, needs_body: bool = False) -> Operation:
    return Operation(
        summary=summary, answer=schemas.Acted, also=schemas.Gone, body=body, needs_body=needs_body
    )


OPERATIONS: Table = MappingProxyType(
    {
        ("session.begin", "POST"): Operation(
            summary="Sign in with a Jellyfin name and password",
            answer=schemas.Session,
            body=json_body.Credentials,
        ),
        ("session.show", "GET"): Operation(summary="Who is asking", answer=schemas.Session),
        ("session.end", "DELETE"): Operation(summary="Sign out", status=204),
        ("api.downloads", "GET"): Operation(
            summary="List downloads, newest first",
            answer=schemas.Listed[schemas.Download],
            query={
                "status": STATES,
                "device": TEXT,
                "owner": TEXT,
                "q": TEXT,
                "type": TEXT,
                "sort": TEXT,
                "as_of": {"type": "integer", "minimum": 1},
                **PAGING,
            },
        ),
        ("api.download", "GET"): Operation(summary="One download", answer=schemas.Download),
        ("api.cover", "GET"): Operation(
            summary="Its cover", media="image/*", query={"width": {"type": "integer"}}
        ),
        ("api.devices", "GET"): Operation(
            summary="The devices that one uses", answer=schemas.Listed[schemas.Device]
        ),
        ("api.notices", "GET"): Operation(
            summary="What to know now", answer=schemas.Listed[schemas.Notice]
        ),
        ("actions.add", "POST"): Operation(
            summary="Ask for items: containers expand, nothing is doubled",
            answer=schemas.Added,
            status=201,
            body=download_bodies.Add,
        ),
        ("actions.bulk", "POST"): Operation(
            summary="Do one thing to many downloads",
            answer=schemas.BulkOutcomes,
            body=download_bodies.Many,
        ),
        ("actions.pause", "POST"): _action("Pause", download_bodies.Nothing),
        ("actions.resume", "POST"): _action("Resume", download_bodies.Nothing),
        ("actions.retry", "POST"): _action("Try again", download_bodies.Retry),
        ("actions.accept", "POST"): _action(
            "Accept a file as it is, although the library says another length",
            download_bodies.Nothing,
        ),
        ("actions.cancel", "POST"): _action("Cancel", download_bodies.Cancel),
        ("actions.delete", "DELETE"): _action("Delete the file", download_bodies.Delete),
        ("actions.prioritise", "POST"): _action(
            "Give it a priority", download_bodies.Prioritise, needs_body=True
        ),
        ("actions.top", "POST"): _action("Move to the top", download_bodies.Nothing),
        ("actions.move", "POST"): _action(
            "Move before another one", download_bodies.Move, needs_body=True
        ),
        ("undo.undo_for_programs", "POST"): Operation(
            summary="Take back what one did a moment ago", answer=schemas.Undone
        ),
        ("people.accounts", "GET"): Operation(
            summary="The accounts: one's own, for an admin all",
            answer=schemas.Listed[schemas.Account],
        ),
        ("people.forget", "POST"): Operation(
            summary="Give the token back to Jellyfin and end all sessions and keys", status=204
        ),
        ("people.sessions", "GET"): Operation(
            summary="The browsers one is signed in with, for an admin everybody's",
            answer=schemas.Listed[schemas.OpenSession],
        ),
        ("people.end", "DELETE"): Operation(summary="End a session", status=204),
        ("people.end_all", "DELETE"): Operation(
            summary="End all of one's own sessions", answer=schemas.Ended
        ),
        ("people.server", "GET"): Operation(
            summary="How the server and the machinery stand", answer=schemas.SystemReport
        ),
        ("people.log", "GET"): Operation(
            summary="Recent events of the log, newest first",
            answer=schemas.Listed[schemas.LogLine],
            query={"level": TEXT, "q": TEXT, **PAGING},
        ),
        ("keys.show", "GET"): Operation(
            summary="One's keys for programs", answer=schemas.Listed[schemas.Key]
        ),
        ("keys.make", "POST"): Operation(
            summary="Make a key; it is shown this once",
            answer=schemas.FreshKey,
            status=201,
            body=api_keys.NewKey,
        ),
        ("keys.revoke", "DELETE"): Operation(summary="Revoke a key", status=204),
        ("peers.show", "GET"): Operation(
            summary="Where Syncthing carries a device", answer=schemas.Shared
        ),
        ("peers.of_file", "GET"): Operation(
            summary="Which of these have a file", answer=schemas.Listed[schemas.Arrived]
        ),
        ("peers.ignoring", "GET"): Operation(
            summary="Whether Syncthing leaves our own folder alone", answer=schemas.Ignoring
        ),
        ("peers.ignore", "POST"): Operation(
            summary="Write the line that makes it",
            answer=schemas.Ignoring,
            body=download_bodies.Nothing,
            needs_body=False,
        ),
        ("plans.show", "GET"): Operation(
            summary="What would come and go on a device", answer=schemas.Plan
        ),
        ("plans.confirm", "POST"): Operation(
            summary="Say yes to a plan's removals",
            answer=schemas.Plan,
            status=202,
            body=plans.Confirmation,
        ),
        ("plans.reformat", "POST"): Operation(
            summary="Say yes to making the files of a device anew in its format",
            answer=schemas.Plan,
            status=202,
            body=plans.NewFormat,
        ),
        ("plays.listed", "GET"): Operation(
            summary="What was heard, newest first",
            answer=schemas.Listed[schemas.Play],
            query={"account": TEXT, **PAGING},
        ),
        ("plays.now", "GET"): Operation(summary="What plays", answer=schemas.Listed[schemas.Now]),
        ("removals.show", "GET"): Operation(
            summary="What is asked about missing files", answer=schemas.Removals
        ),
        ("removals.answer", "POST"): Operation(
            summary="Say whether it was you", answer=schemas.Files, body=removals.RemovalAnswer
        ),
        ("transfers.show", "GET"): Operation(
            summary="What may be fetched now, and how fast", answer=schemas.Transfers
        ),
        ("transfers.change", "PATCH"): Operation(
            summary="Pause or limit transfers (admins)",
            answer=schemas.Transfers,
            body=transfers.Change,
        ),
        ("steering.settings", "GET"): Operation(
            summary="A device's settings and its rules'", answer=schemas.DeviceSettings
        ),
        ("steering.change", "PATCH"): Operation(
            summary="Change some of them; null takes a change back",
            answer=schemas.DeviceSettings,
            body=preferences.SettingsChange,
        ),
        ("steering.pins", "GET"): Operation(
            summary="What one asked to keep there", answer=schemas.Listed[schemas.Pin]
        ),
        ("steering.pin", "PUT"): Operation(summary="Keep it there", answer=schemas.Queued),
        ("steering.unpin", "DELETE"): Operation(summary="Need not be kept", status=204),
        ("steering.exclusions", "GET"): Operation(
            summary="What one does not want from rules", answer=schemas.Listed[schemas.Exclusion]
        ),
        ("steering.exclude", "PUT"): Operation(summary="Not from this rule", status=204),
        ("steering.include", "DELETE"): Operation(summary="From this rule again", status=204),
        ("steering.playlists", "GET"): Operation(
            summary="The playlists chosen for a device", answer=schemas.Listed[schemas.Playlist]
        ),
        ("steering.choose", "PUT"): Operation(summary="Choose one", answer=schemas.Playlist),
        ("steering.drop", "DELETE"): Operation(summary="Choose it no more", status=204),
        ("steering.removed", "GET"): Operation(
            summary="What one deleted there", answer=schemas.Listed[schemas.Removed]
        ),
        ("steering.want_again", "DELETE"): Operation(
            summary="Let rules bring it again", status=204
        ),
        ("steering.why", "GET"): Operation(
            summary="Why it is there, or why not", answer=schemas.Why
        ),
        ("offline.files", "GET"): Operation(
            summary="The files that can be played without Jellyfin, newest first",
            answer=schemas.OfflineFiles,
            query={"q": TEXT, "device": TEXT, "kind": KINDS, **PAGING},
        ),
        ("offline.item", "GET"): Operation(
            summary="Whether an item can be played without Jellyfin now",
            answer=schemas.OfflineItem,
        ),
        ("items.listed", "GET"): Operation(
            summary="Look through the library, or search it",
            answer=schemas.Listed[schemas.LibraryItem],
            query={
                "parent": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "kind": KINDS,
                "q": TEXT,
                "sort": {"type": "string", "enum": [str(one) for one in BrowseSort]},
                **PAGING,
            },
        ),
        ("items.show", "GET"): Operation(summary="One item", answer=schemas.LibraryItem),
        ("items.cover", "GET"): Operation(
            summary="Its cover", media="image/*", query={"size": {"type": "integer"}}
        ),
        ("items.source", "GET"): Operation(
            summary="Where it is played from", answer=schemas.Local, also=schemas.Remote
        ),
        ("items.heart", "PUT"): Operation(
            summary="Press its heart in Jellyfin", answer=schemas.Heart
        ),
        ("items.no_heart", "DELETE"): Operation(
            summary="Take its heart away in Jellyfin", answer=schemas.Heart
        ),
        ("adoption.show", "GET"): Operation(
            summary="Files there that the library has, but that are not ours",
            answer=schemas.AdoptionOffer,
        ),
        ("adoption.adopt", "POST"): Operation(
            summary="Adopt some of them, or all that are sure, where they lie",
            answer=schemas.Adopted,
            body=adoption.Adopt,
        ),
        ("device_logs.show", "GET"): Operation(
            summary="What a music player's logs there would bring", answer=schemas.DeviceLog
        ),
        ("device_logs.take", "POST"): Operation(
            summary="Take its plays over as one's own", answer=schemas.TakenPlays
        ),
        ("openapi.show", "GET"): Operation(summary="This description", media="application/json"),
    }
)

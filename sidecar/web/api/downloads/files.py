"""`/api/v1/offline`: what can be played without Jellyfin."""

from __future__ import annotations

from sidecar.domain.items.kinds import TYPES
from sidecar.services.files.search import FileQuery, FoundFilesPage
from sidecar.web.api.endpoints import PREFIX, Endpoints
from sidecar.web.api.schemas import library as schemas
from sidecar.web.request.query_params import Kinds, PageQuery, Text
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


class FilesQuery(PageQuery):
    """Filters of the list of files; empty means any."""

    q: Text = ""
    device: Text = ""
    kind: Kinds = frozenset()


offline = Endpoints("offline", f"{PREFIX}/offline")


@offline.get("", role=Role.SIGNED_IN, query=FilesQuery, returns=schemas.OfflineFiles)
def files(services: WebServices, query: FilesQuery) -> FoundFilesPage:
    """List the files that can be played without Jellyfin, newest first."""
    wanted = FileQuery(
        text=query.q,
        device_id=query.device or None,
        item_types=frozenset(str(TYPES[kind]) for kind in query.kind),
        page=query.page,
        page_size=query.page_size,
    )
    return services.file_search.files(person(), wanted)


@offline.get(f"/{ITEM}", role=Role.SIGNED_IN, returns=schemas.OfflineItem)
def offline_item(services: WebServices, item_id: str) -> schemas.OfflineItem:
    """Show whether an item can be played without Jellyfin now."""
    found = services.file_search.item(person(), item_id)
    files = [schemas.OfflineFile.model_validate(one) for one in found]
    return schemas.OfflineItem(item_id=item_id, files=files)

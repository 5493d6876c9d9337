"""What Jellyfin answers when an original file is asked for."""

from __future__ import annotations

import pytest

from tests.contract.client import Client

UNKNOWN = "f" * 32
LONG_AGO = "Mon, 01 Jan 2001 00:00:00 GMT"


@pytest.fixture
def path(song: str) -> str:
    return f"/Items/{song}/Download"


@pytest.fixture
def size(ann: Client, path: str) -> int:
    return int(ann.ask("GET", path).headers["Content-Length"])


def _range(ann: Client, path: str, asked: str, **headers: str) -> tuple[int, str | None]:
    answer = ann.ask("GET", path, headers={"Range": asked} | headers)
    return answer.status_code, answer.headers.get("Content-Range")


def test_a_whole_file_has_a_length_a_date_and_no_etag(ann: Client, path: str) -> None:
    answer = ann.ask("GET", path)

    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Last-Modified" in answer.headers
    assert "ETag" not in answer.headers
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]


def test_head_is_not_allowed(ann: Client, path: str) -> None:
    answer = ann.ask("HEAD", path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_a_part_is_the_same_bytes(ann: Client, path: str) -> None:
    whole = ann.ask("GET", path).content

    part = ann.ask("GET", path, headers={"Range": "bytes=5-14"})

    assert (part.status_code, part.content) == (206, whole[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(whole)}"


def test_the_last_bytes_can_be_asked_for(ann: Client, path: str, size: int) -> None:
    expected = (206, f"bytes {size - 3}-{size - 1}/{size}")

    assert _range(ann, path, "bytes=-3") == expected
    assert _range(ann, path, f"bytes={size - 3}-") == expected
    assert _range(ann, path, f"bytes={size - 3}-{size + 9}") == expected


def test_a_start_past_the_end_is_416_with_the_size(ann: Client, path: str, size: int) -> None:
    assert _range(ann, path, f"bytes={size}-") == (416, f"bytes */{size}")


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=abc", "bytes=9-3", "bytes=-"])
def test_several_ranges_and_nonsense_get_the_whole_file(ann: Client, path: str, asked: str) -> None:
    assert _range(ann, path, asked) == (200, None)


def test_an_etag_in_if_range_has_no_effect(ann: Client, path: str) -> None:
    assert _range(ann, path, "bytes=0-0", **{"If-Range": '"x"'})[0] == 206


def test_an_older_date_in_if_range_gets_the_whole_file(ann: Client, path: str) -> None:
    assert _range(ann, path, "bytes=0-0", **{"If-Range": LONG_AGO}) == (200, None)


def test_if_unmodified_since_an_older_date_is_412(ann: Client, path: str) -> None:
    assert _range(ann, path, "bytes=0-0", **{"If-Unmodified-Since": LONG_AGO})[0] == 412


def test_if_unmodified_since_its_own_date_gets_the_part(ann: Client, path: str) -> None:
    date = ann.ask("GET", path).headers["Last-Modified"]

    assert _range(ann, path, "bytes=0-0", **{"If-Unmodified-Since": date})[0] == 206


def test_if_modified_since_its_own_date_is_304(ann: Client, path: str) -> None:
    date = ann.ask("GET", path).headers["Last-Modified"]

    assert _range(ann, path, "bytes=0-0", **{"If-Modified-Since": date}) == (304, None)


def test_the_file_without_a_name_is_the_same_file(ann: Client, path: str, song: str) -> None:
    plain = ann.ask("GET", f"/Items/{song}/File")

    assert "Content-Disposition" not in plain.headers
    assert plain.content == ann.ask("GET", path).content


def test_an_item_that_nobody_knows_is_404_in_json(ann: Client) -> None:
    answer = ann.ask("GET", f"/Items/{UNKNOWN}/Download")

    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_an_album_cannot_be_downloaded(ann: Client) -> None:
    album = ann.get("/Items", recursive="true", includeItemTypes="MusicAlbum", limit="1")

    answer = ann.ask("GET", f"/Items/{album['Items'][0]['Id']}/Download")

    assert (answer.status_code, answer.text) == (400, "Error processing request.")


def test_without_a_token_the_answer_is_401(ann: Client, path: str) -> None:
    assert ann.ask("GET", path, headers={"Authorization": ""}).status_code == 401


def test_each_request_for_a_download_is_written_down(admin: Client, ann: Client, path: str) -> None:
    def downloads() -> int:
        log = admin.get("/System/ActivityLog/Entries", limit="1000")["Items"]
        return sum(one["Type"] == "UserDownloadingContent" for one in log)

    before = downloads()
    for _ in range(2):
        ann.ask("GET", path, headers={"Range": "bytes=0-0"})

    assert downloads() == before + 2


def test_a_static_stream_needs_no_token(ann: Client, song: str) -> None:
    query = {"static": "true"}
    answer = ann.ask("GET", f"/Audio/{song}/stream", query=query, headers={"Authorization": ""})

    assert answer.status_code == 200


def test_an_address_of_more_than_8_kb_is_414(ann: Client, song: str) -> None:
    answer = ann.ask("GET", f"/Items?ids={','.join([song] * 300)}")

    assert (answer.status_code, answer.headers["Connection"]) == (414, "close")

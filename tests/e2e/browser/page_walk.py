"""A walk over a page in a real browser that uses every control once and tells which are dead.

    page ─▶ its controls ─▶ type · change · click ─▶ a request? the page changed? a dialog?
                                                      └─ no ─▶ dead: page, control, what was done

No page does anything by itself meanwhile: it hears no news and its clocks stand still, and the next
control waits until all that the one before has begun is over. So what happens is of what was used.
Where a click would lead away, or change something on the server, the request is noted and answered
with 204, so that the page stays as it is; `Walker.send_noted` sends each kind of them afterwards.
Of controls that differ only in what they are for (the buttons of every row) the first is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import BrowserContext, CDPSession, ElementHandle, Page
from playwright.sync_api import Error as BrowserError

from tests.patience import PATIENCE_S

CAN_BE_USED_MS = PATIENCE_S * 1000
# From this turn on the list itself changes.
LATE = 2
LIVE = "/socket.io"
# What else they tell the server than a browser does by itself.
OUR_HEADERS = ("content-type", "x-sidecar-csrf", "hx-request")
REMOVING = re.compile(r"action=(delete|cancel)|delete=yes")
REMOVED = "something was removed"
DOWNLOAD = re.compile(r"/downloads/\d+/")
# Where messages go is elsewhere: no such address is given to a sidecar that may send to it.
ELSEWHERE = re.compile(r"/notifications/addresses$|/admin/webhooks$")
# What ends the session comes last.
ENDING = re.compile(r"/sign-out|/sessions|/forget")
ITEM = re.compile(r"[0-9a-f]{32}")
NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d+")

SCRIPT = """
// The page does nothing by itself, so that whatever happens is of what was pressed: it hears no
// news, its clocks stand still, and what it plays stays silent.
const NEWS = "42";
const hearing = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
Object.defineProperty(WebSocket.prototype, "onmessage", {
    set(hear) {
        hearing.set.call(this, (event) => String(event.data).startsWith(NEWS) || hear(event));
    },
});
window.setInterval = () => 0;
for (const name of ["error", "timeupdate", "pause", "ended"]) {
    addEventListener(name, (event) => {
        if (event.target instanceof HTMLMediaElement) event.stopImmediatePropagation();
    }, { capture: true });
}
// What is still to come of one press: the next one waits for it.
const SOON_MS = 1000;
const toCome = new Set();
const { setTimeout: later, clearTimeout: giveUp, fetch: ask } = window;
window.setTimeout = (act, after = 0, ...more) => {
    const id = later(() => { toCome.delete(id); act(...more); }, after);
    if (after <= SOON_MS) toCome.add(id);
    return id;
};
window.clearTimeout = (id) => { toCome.delete(id); giveUp(id); };
window.fetch = (...given) => {
    const asked = ask(...given);
    toCome.add(asked);
    asked.then((answer) => answer.clone().arrayBuffer()).catch(() => {})
        .finally(() => later(() => toCome.delete(asked)));
    return asked;
};
// What was played on the page before plays no more: each link of this one is a page load.
try {
    Object.keys(localStorage).filter((key) => key.startsWith("sidecar-player"))
        .forEach((key) => localStorage.removeItem(key));
} catch { /* of an empty page */ }
const FIELDS = "input:not([type=hidden]), select, textarea";
// What only scrolls is reached by the keyboard for that, and for nothing else.
const REACHED = '[tabindex="0"]:not(pre, .scrolls)';
const CONTROLS = `a[href], button, summary, [role=button], ${REACHED}, ${FIELDS}`;
const plain = (text) => (text ?? "").replace(
    /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\\d+/gi, "*");
// One letter of the alphabet is as good as another.
const address = (url) => {
    const { pathname, search } = new URL(url, location.href);
    return plain(pathname + search).replace(/initial=[^&]+/, "initial=*");
};
const isVisible = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const ON_TOP = "dialog[open], :popover-open";
const place = () => document.querySelector(ON_TOP) ?? document.documentElement;

function kindOf(one) {
    const to = one.getAttribute("formaction") ?? one.form?.getAttribute("action");
    const form = one.form ? `${one.form.method} ${address(to)}` : "";
    const value = ["radio", "submit"].includes(one.type) ? plain(one.value) : "";
    const href = one.hasAttribute("href") ? address(one.href) : "";
    const area = one.closest("dialog, [popover], header, footer, main")?.localName ?? "";
    const data = Object.keys(one.dataset).filter((name) => !name.startsWith("htmx"));
    return [area, one.localName, one.type, one.name, value, href, form, plain(one.id), data.join()]
        .map((part) => part ?? "").join("|");
}

function submits(form) {
    return [...form?.elements ?? []].filter(
        (one) => one.matches("button:not([type=button]), [type=submit]")
            && !one.disabled && isVisible(one));
}

function describe(one) {
    const label = one.labels?.[0]?.textContent || one.getAttribute("aria-label") || one.textContent;
    const live = one.closest("[hx-trigger]") ?? one.form?.closest("[hx-trigger], [data-live]");
    return {
        kind: kindOf(one),
        name: `<${one.localName}> “${label.trim().replace(/\\s+/g, " ").slice(0, 60)}”`,
        tag: one.localName,
        type: one.type ?? "",
        field: one.matches(FIELDS) ? one.name : "",
        is_field: one.matches(FIELDS),
        is_live: Boolean(live) && one.matches(FIELDS),
        swaps: one.hasAttribute("hx-get"),
        is_open: one.matches("details[open] > summary"),
        in_frame: Boolean(one.closest("body > header, body > footer, body > .skip")),
        form: one.form ? `${one.form.method} ${address(one.form.getAttribute("action"))}` : "",
        has_button: submits(one.form).length > 0,
        href: one.getAttribute("href") ?? "",
        data: Object.keys(one.dataset),
    };
}

window.walk = {
    changes: 0,
    controls() {
        const found = new Map();
        for (const one of place().querySelectorAll(CONTROLS)) {
            if (one.disabled || !isVisible(one)) continue;
            if (!found.has(kindOf(one))) found.set(kindOf(one), describe(one));
        }
        // As one text: to take a thousand values apart costs more than all else that is asked.
        return JSON.stringify([...found.values()]);
    },
    find: (kind) => [...place().querySelectorAll(CONTROLS)].find(
        (one) => !one.disabled && isVisible(one) && kindOf(one) === kind) ?? null,
    async settled(kind) {
        const isBusy = () => toCome.size || document.querySelector(".htmx-request, .htmx-swapping");
        for (let n = 0; n < 100 && isBusy(); n += 1)
            await new Promise((done) => { later(done, 20); });
        return this.find(kind);
    },
    describe,
    state: () => ({
        changes: window.walk.changes,
        url: location.href,
        dialog: document.querySelector(ON_TOP)?.childElementCount ?? -1,
    }),
};
const begin = () => new MutationObserver((all) => { window.walk.changes += all.length; }).observe(
    document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
"""


@dataclass(frozen=True, kw_only=True)
class Control:
    """What can be used on a page."""

    kind: str
    name: str
    tag: str
    type: str
    field: str
    is_field: bool
    is_live: bool
    swaps: bool
    is_open: bool
    in_frame: bool
    form: str
    has_button: bool
    href: str
    data: list[str]

    @property
    def turn(self) -> int:
        """What changes the list comes after what leaves it, what hides controls at the end."""
        if self.is_open or "closes" in self.data:
            return 3
        if self.is_live or self.swaps:
            return 2
        return 0 if self.is_field else 1


@dataclass(frozen=True)
class Noted:
    """A request that the page made and that was not sent on yet."""

    method: str
    url: str
    body: str | None
    headers: dict[str, str]

    @property
    def kind(self) -> tuple[str, str, str]:
        """The same for requests that differ only in what they are for."""
        parts = urlsplit(self.url)
        fields = sorted(f"{name}={NAMES.sub('*', value)}" for name, value in self.fields)
        return self.method, NAMES.sub("*", parts.path), "&".join(fields)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of its form, without the token."""
        query = urlsplit(self.url).query
        sent = query if self.method == "GET" else (self.body or "")
        return [one for one in parse_qsl(sent, keep_blank_values=True) if one[0] != "csrf"]

    @property
    def things(self) -> set[str]:
        """The items that it is for, by their ids."""
        return {value for _, value in self.fields if ITEM.fullmatch(value)}


@dataclass
class Walker:
    """Somebody with a browser who uses everything.

    Attributes:
        dead: What did nothing: page, control, what was done.
        done: What was used already, by page and, if it is used at each, by width. Walkers may share
            it: the next one then uses only what the pages show to nobody before.
        is_twice: Whether what was used at one width is used again at the next.
        used: How many controls were used.
    """

    context: BrowserContext
    url: str
    who: str
    dead: list[str] = field(default_factory=list)
    noted: dict[tuple[str, str, str], Noted] = field(default_factory=dict)
    done: dict[tuple[str, int | None], set[str]] = field(default_factory=dict)
    is_twice: bool = False
    used: int = 0
    _asked: list[Noted] = field(default_factory=list)
    _typed: dict[str, set[str]] = field(default_factory=dict)
    _is_opening: bool = False
    _is_untouched: bool = False
    _path: str = ""
    _page: Page | None = None
    _browser: CDPSession | None = None
    _tabs: list[Page] = field(default_factory=list)

    def begin(self) -> None:
        """Open the page to walk on; what is not a picture or a script passes by here."""
        self.context.add_init_script(SCRIPT)
        self._page = self.context.new_page()
        self.context.on("page", self._note_tab)
        # Not by `Page.route`, which stops every file and does without the browser's cache.
        self._browser = self.context.new_cdp_session(self._page)
        self._browser.on("Fetch.requestPaused", self._pass)
        patterns = [{"resourceType": one} for one in ("Document", "XHR", "Fetch")]
        self._browser.send("Fetch.enable", {"patterns": patterns})

    def _note_tab(self, tab: Page) -> None:
        self._tabs.append(tab)

    @property
    def page(self) -> Page:
        """The page that is walked."""
        assert self._page is not None
        return self._page

    def walk(self, path: str, width: int, *, with_frame: bool) -> None:
        """Use every control of a page and of the dialogs that it opens."""
        self.page.set_viewport_size({"width": width, "height": 800})
        if path != self._path or not self._is_untouched:
            self._path = path
            self._open()
        # The same page with other arguments: what was used there works here.
        place = NAMES.sub("*", urlsplit(path).path), width if self.is_twice else None
        done = self.done.setdefault(place, set())
        known = {one.kind for one in self._controls() if with_frame or not one.in_frame}
        is_as_it_was = True
        while True:
            left = [
                one
                for one in self._controls()
                if one.kind not in done
                and (with_frame or not one.in_frame)
                # What a click reveals is used too; what a search brings is another list.
                and (one.kind in known or (is_as_it_was and one.turn < LATE))
            ]
            if not left:
                if not self._comes_back(known - done):
                    break
                is_as_it_was = True
                continue
            one = min(left, key=lambda one: one.turn)
            known.add(one.kind)
            done.add(one.kind)
            is_as_it_was = is_as_it_was and one.turn < LATE
            self._use(one)
            if self._dialog_is_open():
                self._walk_dialog(one, done)

    def send_noted(self, sent: set[str]) -> Iterator[str]:
        """Send each kind of request that was noted; yield those that the server refused.

        Args:
            sent: The things that were in requests before, by whomever; it grows.
        """
        order = sorted(
            # What is elsewhere (a licence, the project's site) is not asked from a test.
            (
                one
                for one in self.noted.values()
                if one.url.startswith(self.url) and not ELSEWHERE.search(one.url)
            ),
            key=lambda one: (
                one.method != "GET",
                bool(ENDING.search(one.url)),
                bool(REMOVING.search(one.body or "")),
            ),
        )
        for one in order:
            headers = one.headers | {"Origin": self.url.rstrip("/")}
            answer = self.context.request.fetch(
                one.url, method=one.method, headers=headers, data=one.body, max_redirects=0
            )
            if answer.status >= 400 and not _is_over(one, answer.status, sent):
                yield f"{self.who}: {answer.status} {one.method} {one.url} {one.fields}"
            if one.method != "GET":
                sent |= one.things
            if REMOVING.search(one.body or ""):
                sent.add(REMOVED)

    def _pass(self, paused: dict[str, Any]) -> None:
        request = paused["request"]
        if LIVE in request["url"]:
            self._answer(paused)
            return
        told = {name.lower(): value for name, value in request["headers"].items()}
        headers = {name: told[name] for name in OUR_HEADERS if name in told}
        one = Noted(request["method"], request["url"], request.get("postData"), headers)
        self._asked.append(one)
        leaves = paused["resourceType"] == "Document"
        if self._is_opening or (one.method == "GET" and not leaves):
            self._answer(paused)
            return
        self.noted.setdefault(one.kind, one)
        self._answer(paused, HTTPStatus.NO_CONTENT)

    def _answer(self, paused: dict[str, Any], status: HTTPStatus | None = None) -> None:
        """Let a request go on; or answer it with this status and nothing else."""
        assert self._browser is not None
        how = "continueRequest" if status is None else "fulfillRequest"
        code = {} if status is None else {"responseCode": int(status)}
        # The page may have given it up meanwhile.
        with suppress(BrowserError):
            self._browser.send(f"Fetch.{how}", {"requestId": paused["requestId"], **code})

    def _open(self) -> None:
        self._typed.clear()
        self._is_opening = True
        self.page.goto(self.url.rstrip("/") + self._path)
        self.page.wait_for_load_state("load")
        self._is_opening = False
        self._is_untouched = True

    def _controls(self) -> list[Control]:
        return [Control(**one) for one in json.loads(self.page.evaluate("walk.controls()"))]

    def _comes_back(self, missing: set[str]) -> bool:
        """Load the page again for what went meanwhile; False if it is not there either."""
        if not missing:
            return False
        self._open()
        return bool({one.kind for one in self._controls()} & missing)

    def _dialog_is_open(self) -> bool:
        return bool(self.page.evaluate("walk.state().dialog") != -1)

    def _walk_dialog(self, opener: Control, done: set[str]) -> None:
        while True:
            left = [one for one in self._controls() if one.kind not in done]
            if not left:
                break
            left.sort(key=lambda one: (one.type == "submit", one.turn))
            done.add(left[0].kind)
            self._use(left[0])
            if left[1:] and self.page.evaluate("walk.state().dialog") < 1:
                self._open()
                self._use(opener)
        self.page.keyboard.press("Escape")
        if self._dialog_is_open():
            self._open()

    def _use(self, one: Control, *, again: bool = True) -> None:
        found = self.page.evaluate_handle("kind => walk.settled(kind)", one.kind).as_element()
        if found is None:
            return
        self._is_untouched = False
        self.used += 1
        if one.type == "submit" and one.form:
            self._fill_again(one)
        before = self.page.evaluate("walk.state()")
        self._asked.clear()
        try:
            what = self._act(one, found)
        except BrowserError as error:
            if again:  # The list was replaced under the hand.
                self.used -= 1
                self._use(one, again=False)
                return
            self._tell(one, f"cannot be used: {error.message.splitlines()[0]}")
            return
        if what is None:
            return
        if one.is_field and one.form and not one.is_live:
            self._note_typed(one, found, what)
            return
        if not self._waited_for(one, before):
            self._tell(one, f"{what}: nothing happened")
        elif one.type == "submit":
            self._check_fields(one)

    def _note_typed(self, one: Control, found: ElementHandle, what: str) -> None:
        if one.type not in {"checkbox", "radio"}:  # A box that is not ticked is not sent.
            self._typed.setdefault(one.form, set()).add(one.field)
        if not Control(**found.evaluate("one => walk.describe(one)")).has_button:
            self._tell(one, f"{what}: its form has no button that can be seen")

    def _fill_again(self, one: Control) -> None:
        """Type again what a form must have and lost when the page was loaded again."""
        for other in self._controls():
            if not other.is_field or other.form != one.form:
                continue
            found = self.page.evaluate_handle("kind => walk.find(kind)", other.kind).as_element()
            if found is not None and found.evaluate("one => one.required && !one.value"):
                self._fill(other, found)

    def _check_fields(self, one: Control) -> None:
        """What was typed into a form is in what it sends."""
        sent = {name for two in self._asked for name, _ in two.fields}
        typed = self._typed.get(one.form, set())
        for name in sorted(typed - sent):
            self._tell(one, f"pressed: {name!r} was filled in and is not sent")

    def _act(self, one: Control, found: ElementHandle) -> str | None:
        """Do what people do with such a thing; None if there is nothing to do with it."""
        if one.is_field:
            return self._fill(one, found)
        if "grip" in one.data:
            for key in ("ArrowDown", "ArrowUp"):
                found.press(key)
            return "moved by the arrow keys"
        if one.href.startswith("#"):
            found.press("Enter")
            return "Enter pressed"
        found.click(timeout=CAN_BE_USED_MS)
        return "clicked"

    def _fill(self, one: Control, found: ElementHandle) -> str | None:
        if one.tag == "select":
            value = found.evaluate(
                "one => [...one.options].find((two) => two.value !== one.value)?.value ?? null"
            )
            if value is not None:
                found.select_option(value, timeout=CAN_BE_USED_MS)
            return None if value is None else f"{value!r} chosen"
        # What opens a dialog of the system is sent, and not typed into.
        if one.type == "file" or (one.type == "radio" and found.is_checked()):
            return None
        if one.type == "range":
            found.press("ArrowRight")
            return "moved by the arrow keys"
        found.click(timeout=CAN_BE_USED_MS)
        if one.type in {"checkbox", "radio"}:
            return "clicked"
        text = found.evaluate(TEXT_FOR)
        found.select_text()
        self.page.keyboard.type(text)
        return f"{text!r} typed"

    def _waited_for(self, one: Control, before: dict[str, object]) -> bool:
        deadline = monotonic() + PATIENCE_S
        while not self._happened(one, before):
            if monotonic() > deadline:
                return False
            self.page.wait_for_timeout(20)
        return True

    def _happened(self, one: Control, before: dict[str, object]) -> bool:
        now = self.page.evaluate("walk.state()")
        if self._tabs:
            # A link to Jellyfin's own pages.
            self._tabs.pop().close()
            return True
        if now["url"] != before["url"] or now["dialog"] != before["dialog"]:
            return True
        if self._asked and any(self._is_of(one, two) for two in self._asked):
            return True
        by_script = one.tag == "summary" or one.type in {"button", "checkbox"} or one.data
        return bool(by_script) and not one.is_live and bool(now["changes"] != before["changes"])

    def _is_of(self, one: Control, asked: Noted) -> bool:
        """Whether a request came of this control, and not of the page by itself."""
        if one.is_live:
            return one.type == "checkbox" or one.field in dict(asked.fields)
        return True

    def _tell(self, one: Control, what: str) -> None:
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        self.dead.append(f"{self.who} at {width}: {self._path}: {one.name} {what}")


def _is_over(one: Noted, status: int, sent: set[str]) -> bool:
    """Whether a refusal says that a request before this one has done it already.

    Args:
        sent: The things that were in the requests before.
    """
    if ENDING.search(one.url):
        return status == HTTPStatus.UNAUTHORIZED
    if status == HTTPStatus.CONFLICT:
        return True
    if status == HTTPStatus.NOT_FOUND:
        may_be_gone = DOWNLOAD.search(one.url) and REMOVED in sent
        return bool(may_be_gone or one.things & sent or REMOVING.search(one.body or ""))
    return status == HTTPStatus.BAD_REQUEST and bool(REMOVING.search(one.body or ""))


# What the person would type: another number that is allowed, else what is suggested.
TEXT_FOR = """one => {
    if (one.type === "number") {
        const now = Number(one.value || one.min || 1) + 1;
        return String(one.max && now > Number(one.max) ? one.max : now);
    }
    if (one.type === "search") return "tone";
    if (one.value) return one.value;
    const known = [
        [/(budget|reserve|speed_limit)$/, "10 GB"],
        [/bitrate$/, "128k"],
        [/time_zone$/, "Europe/Berlin"],
        [/_languages$/, "de, en"],
        [/_hours$/, "22:00-06:30"],
        [/base_url$/, "/sidecar"],
        [/url$/, "http://127.0.0.1:9"],
        [/trusted_proxies$/, "127.0.0.1"],
    ];
    const found = known.find(([name]) => name.test(one.name));
    return found ? found[1] : one.placeholder || "Tone";
}"""

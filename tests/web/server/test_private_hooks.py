"""What we lean on inside our web libraries without their having promised it.

Each test fails if a newer version of the library goes another way, and names what has changed.
"""

from __future__ import annotations

import ast
import inspect
import socket
import threading
from collections.abc import Callable, Iterable
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from cheroot import connections, makefile, wsgi
from cheroot import server as cheroot
from cheroot.workers import threadpool
from werkzeug.routing import Map, Rule, rules
from werkzeug.wsgi import get_input_stream

from sidecar.web.routing import LateRule
from sidecar.web.server import SOCKET_KEY, WebServer, WebSocketAdapter
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

simple_websocket: Any = import_module("simple_websocket")
engineio_server: Any = import_module("engineio.base_server")
engineio_socket: Any = import_module("engineio.socket")
engineio_threads: Any = import_module("engineio.server")
flask_socketio: Any = import_module("flask_socketio")
socketio: Any = import_module("socketio")


def says_nothing(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    return []


def functions_that(module: object, *calls: str) -> set[str]:
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]  # a module
    return {
        f"{kind.name}.{function.name}"
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
        for function in kind.body
        if isinstance(function, ast.FunctionDef)
        if any(call in ast.unparse(function) for call in calls)
    }


def test_cheroot_writes_in_no_place_that_we_do_not_know() -> None:
    writes = ("wfile.write(", ".sendall(", ".send(", "StreamWriter(")

    assert functions_that(cheroot, *writes) == {
        "HTTPRequest.read_request_headers",  # 100 Continue
        "HTTPRequest.respond",  # the last chunk
        "HTTPRequest.simple_response",  # ours
        "HTTPRequest.write",
        "HTTPRequest.send_headers",
        "HTTPConnection._handle_no_ssl",  # not without TLS
    }
    assert functions_that(connections, *writes) == {
        "ConnectionManager._from_server_socket"  # not without TLS
    }
    assert functions_that(wsgi, *writes) == set()


def test_engine_io_waits_for_one_event_of_its_own_which_is_our_end() -> None:
    assert functions_that(engineio_threads, "create_event(") == {"Server._service_task"}
    assert functions_that(engineio_socket, "create_event(") == set()
    assert functions_that(import_module("socketio.server"), "create_event(") == {"Server.call"}


def test_cheroot_refuses_by_the_one_method_that_is_ours() -> None:
    assert functions_that(cheroot, "simple_response(") == {
        "HTTPRequest.parse_request",
        "HTTPRequest.read_request_line",
        "HTTPRequest.read_request_headers",
        "HTTPRequest.respond",
        "HTTPRequest.simple_response",
        "HTTPConnection._handle_no_ssl",
        "HTTPConnection._conditional_error",
        "HTTPServer._serve_unservicable",  # makes requests of its own: never, as shown below
    }
    assert functions_that(wsgi, "simple_response(") == {"Gateway.write"}
    server = WebServer(says_nothing, "127.0.0.1", 0)
    assert server._server.ssl_adapter is None
    # Nobody is refused because too many wait: the queue has no end.
    assert server._server.requests._queue.maxsize <= 0


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (cheroot.HTTPRequest.__init__, ["server", "conn", "proxy_mode", "strict_mode"]),
        (cheroot.HTTPRequest.read_request_line, []),
        (cheroot.HTTPRequest.read_request_headers, []),
        (cheroot.HTTPRequest.respond, []),
        (cheroot.HTTPRequest.simple_response, ["status", "msg"]),
        (cheroot.HTTPRequest.ensure_headers_sent, []),
        (cheroot.HTTPRequest.write, ["chunk"]),
        (cheroot.HTTPConnection.communicate, []),
        (wsgi.Gateway.write, ["chunk"]),
        (wsgi.Gateway.respond, []),
    ],
)
def test_what_we_replace_in_cheroot_is_called_as_before(
    method: Callable[..., object], parameters: list[str]
) -> None:
    assert list(inspect.signature(method).parameters)[1:] == parameters


@pytest.mark.parametrize(
    ("method", "uses"),
    [
        (cheroot.HTTPConnection.communicate, "self.RequestHandlerClass(self.server, self)"),
        (cheroot.HTTPConnection.communicate, "req.parse_request()"),
        (cheroot.HTTPConnection.communicate, "req.respond()"),
        (vars(cheroot.HTTPConnection)["_conditional_error"], "req.sent_headers"),
        (cheroot.HTTPRequest.parse_request, "self.read_request_line()"),
        (cheroot.HTTPRequest.parse_request, "self.read_request_headers()"),
        (cheroot.HTTPRequest.read_request_line, "self.rfile.readline()"),
        (cheroot.HTTPRequest.read_request_headers, "self.header_reader("),
        (cheroot.HTTPRequest.respond, "self.server.gateway(self).respond()"),
        (wsgi.Gateway.write, "self.remaining_bytes_out"),
    ],
)
def test_cheroot_still_goes_the_way_that_we_changed(
    method: Callable[..., object], uses: str
) -> None:
    assert uses in inspect.getsource(method)


@pytest.mark.parametrize(
    ("place", "uses"),
    [
        # Threads that do not keep the process from ending.
        (threadpool.ThreadPool, "self._spawn_worker()"),
        (threadpool.ThreadPool, "worker = WorkerThread(self.server)"),
        # A silent connection is given back before a worker takes it.
        (connections.ConnectionManager, "self.server.process_conn(conn)"),
        (connections.ConnectionManager, "conn.last_used = time.time()"),
        (connections.ConnectionManager, "self.server.ConnectionClass(self.server, s, mf)"),
        # A WebSocket keeps its connection, and cheroot writes nothing to it.
        (cheroot.HTTPConnection, "if not self.linger:"),
        (cheroot.HTTPRequest, "self.ready and self.ensure_headers_sent()"),
        # How much of a body is left to be read or written.
        (cheroot.HTTPRequest, "self.chunked_read = True"),
        (cheroot.KnownLengthRFile, "self.remaining"),
        (wsgi.Gateway_10, "'wsgi.input_terminated': bool(req.chunked_read)"),
        (cheroot.HTTPServer, "self.expiration_interval"),
        (cheroot.HTTPServer, "self.error_log("),
        (cheroot.HTTPServer, "self.bind(af, socktype, proto)"),
        # Our connections take the place of its own, and our queue that of its workers.
        (cheroot.HTTPServer, "self._connections = connections.ConnectionManager(self)"),
        (cheroot.HTTPServer, "self._connections.run(self.expiration_interval)"),
        (cheroot.HTTPServer, "self._connections.can_add_keepalive_connection"),
        (cheroot.HTTPServer, "self._connections.put(conn)"),
        (cheroot.HTTPServer, "self._connections.stop()"),
        (cheroot.HTTPServer, "self._connections.close()"),
        (cheroot.HTTPServer, "self.requests.put(conn)"),
        (threadpool.ThreadPool, "self._queue.put("),
        (threadpool.WorkerThread, "conn = self.server.requests.get()"),
        (threadpool.WorkerThread, "keep_conn_open = conn.communicate()"),
        (threadpool.WorkerThread, "conn.close()"),
        # Where the request and its connection keep what we read and write.
        (cheroot.HTTPRequest, "self.inheaders"),
        (cheroot.HTTPRequest, "self.close_connection"),
        (cheroot.HTTPRequest, "self.sent_headers = True"),
        (cheroot.HTTPRequest, "self.conn.wfile.write("),
        (wsgi.Gateway, "self.env = self.get_environ()"),
        (wsgi.Gateway, "self.req.status = "),
        (wsgi.Gateway_10, "req_conn.remote_addr"),
        (wsgi.Gateway_10, "req_conn.remote_port"),
        # Reads go by our deadline.
        (makefile.StreamReader, "SocketIO(sock, mode)"),
        (socket.SocketIO, "self._sock._decref_socketios()"),
        (socket.SocketIO, "self._sock.recv_into(b)"),
    ],
)
def test_the_server_is_built_as_ours_expects(place: type, uses: str) -> None:
    assert uses in inspect.getsource(place)


@pytest.mark.parametrize(
    ("place", "uses"),
    [
        (simple_websocket.Server, f"if '{SOCKET_KEY}' in environ"),
        (simple_websocket.ws.Base, "thread_class(target=self._thread)"),
        (simple_websocket.ws.Base, "self.max_message_size"),
        (simple_websocket.ws.Base, "self.sock.send("),
        (simple_websocket.ws.Base, "self.sock.recv(self.receive_bytes)"),
        (simple_websocket.ws.Base, "self.sock.close()"),
        (simple_websocket.ws.Base, "self.event.wait(timeout=timeout)"),
    ],
)
def test_simple_websocket_uses_our_connection_and_thread(place: type, uses: str) -> None:
    assert uses in inspect.getsource(place)


@pytest.mark.parametrize(
    ("place", "uses"),
    [
        (engineio_threads.Server, "self._async['sleep'](seconds)"),
        (engineio_server.BaseServer, "self._async['queue'](*args, **kwargs)"),
        (engineio_socket.Socket, "self.server._async['websocket']("),
        (engineio_socket.Socket, "self._websocket_handler, self.server)"),
        (engineio_socket.Socket, "self.queue.join()"),
        (engineio_threads.Server, "self.service_task_handle"),
        # A ping is a timer of ours, which is known by the name of its method.
        (engineio_threads.Server, "self._async['thread'](target=target, args=args, kwargs=kwargs)"),
        (engineio_socket.Socket, "self.server.start_background_task(self._send_ping)"),
        (engineio_socket.Socket, "self.last_ping = time.time()"),
        # Places are freed, and unused connections ended, by its own two handlers.
        (engineio_threads.Server, "self._trigger_event('connect', sid, environ, run_async=False)"),
        (engineio_threads.Server, "if ret is not None and ret is not True:"),
        (engineio_threads.Server, "self.handlers[event](*args)"),
        (engineio_socket.Socket, "self.server._trigger_event('disconnect', self.sid,"),
        (engineio_socket.Socket, "def close(self, wait=True, "),
        (engineio_socket.Socket, "self.upgraded"),
        (engineio_socket.Socket, "if not self.closed and not self.closing:"),
        (engineio_threads.Server, "self.sockets[sid] = s"),
        # Who opened a connection stands in its first `environ`.
        (socketio.Server, "self.environ[eio_sid] = environ"),
        (socketio.Manager, "self.rooms[namespace][None].get(sid)"),
        (flask_socketio.SocketIO, "flask.request.sid = sid"),
        (socketio.Server, "self.eio"),
    ],
)
def test_engineio_takes_our_sleep_queue_and_websocket(place: type, uses: str) -> None:
    sources = [inspect.getsource(one) for one in place.__mro__ if one is not object]
    assert uses in " ".join("".join(sources).split()).replace("( ", "(")


def test_engineio_has_the_places_that_ours_take() -> None:
    engine = socketio.Server(async_mode="threading").eio

    assert {"sleep", "queue", "websocket"} <= set(engine._async)
    assert hasattr(engine, "sockets")
    assert hasattr(engine, "service_task_handle")
    assert {"send", "wait", "close"} <= set(vars(WebSocketAdapter))


def test_werkzeug_believes_that_a_body_is_whole_wherever_the_word_stands() -> None:
    # So we take it out of `environ`: a body that is cut off would count as complete.
    body = BytesIO(b"cut off")
    environ = {"wsgi.input": body, "CONTENT_LENGTH": "100"}

    assert get_input_stream(environ) is not body
    assert get_input_stream(environ | {"wsgi.input_terminated": False}) is body


def test_workers_are_those_that_end_with_the_process() -> None:
    server = WebServer(says_nothing, "127.0.0.1", 0)
    server.bind()
    serve = threading.Thread(target=server.serve)
    serve.start()
    try:
        workers = server._server.workers()
        assert workers
        assert all(one.daemon for one in workers)
    finally:
        server.stop()
        serve.join(PATIENCE_S)


def test_werkzeug_compiles_what_writes_an_address_in_one_method() -> None:
    values = {"number": 7, "name": "a b/c", "also": "ü"}
    written = []
    for kind in (Rule, LateRule):
        rule = kind("/things/<int:number>/<name>", endpoint="things")
        adapter = Map([rule, kind("/", endpoint="home")]).bind("example.org")
        written.append([adapter.build("things", values), adapter.build("home")])

    assert functions_that(rules, "self._compile_builder(") == {"Rule.compile"}
    assert functions_that(rules, "compile(module") == {"Rule._compile_builder"}
    assert written == [["/things/7/a%20b/c?also=%C3%BC", "/"]] * 2

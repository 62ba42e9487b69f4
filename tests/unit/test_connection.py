"""How an endpoint is reached: certificates, proxies, headers, and what messages say when not."""

import asyncio
import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme
from aiohttp import web

from ieat.pipeline.config import LanguageModelSettings
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.failures import ConfigError, EngineUnavailable
from ieat.schemas.engine import AnswerSchema, Message, Question, Sampling
from tests.counting_engines import FreeCall
from tests.openai_server import OpenAIServer, chat

QUESTION = Question(
    messages=(Message(role="user", content="hi"),),
    answer_schema=AnswerSchema(schema_id="s@1", text="{}"),
)


def ask(question=QUESTION, **settings):
    async def run():
        model = OpenAIChat("m", LanguageModelSettings(**({"max_attempts": 1} | settings)))
        try:
            return (await model.complete(question, FreeCall())).text
        finally:
            await model.close()

    return asyncio.run(run())


@contextlib.contextmanager
def https_server(context: ssl.SSLContext) -> Iterator[str]:
    """Answer every question with `secure` over TLS."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        message = {"role": "assistant", "content": "secure"}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

    async def listen() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield f"https://localhost:{runner.addresses[0][1]}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Proxy:
    """A proxy on loopback that passes plain requests and tunnels on, and notes what came."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            self.heads.append(head.decode("latin-1"))
            method, target, _ = self.heads[-1].split(" ", 2)
            place = target if method == "CONNECT" else target.split("/")[2]
            host, _, port = place.partition(":")
            with socket.create_connection((host, int(port))) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    server.sendall(head)
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join(1)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    """PEM files of the authority and of a client."""
    client = authority.issue_cert("client@example.org")
    for name, blobs in {
        "ca.pem": [authority.cert_pem],
        "cert.pem": client.cert_chain_pems,
        "key.pem": [client.private_key_pem],
        "both.pem": [client.private_key_pem, *client.cert_chain_pems],
    }.items():
        (tmp_path / name).write_bytes(b"".join(blob.bytes() for blob in blobs))
    return tmp_path


def server_context(authority, *, asks_for_certificates=False):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    if asks_for_certificates:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    return context


def test_an_authority_of_ones_own_is_trusted_by_setting_and_by_environment(
    authority, files, monkeypatch
):
    with https_server(server_context(authority)) as url:
        assert ask(base_url=url, ca_file=str(files / "ca.pem")) == "secure"
        monkeypatch.setenv("SSL_CERT_FILE", str(files / "ca.pem"))
        assert ask(base_url=url) == "secure"


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_way_out(authority):
    with (
        https_server(server_context(authority)) as url,
        pytest.raises(EngineUnavailable) as refused,
    ):
        ask(base_url=url)
    assert "certificate is not to be trusted" in refused.value.message
    assert "language_model_settings.ca_file" in refused.value.message


def test_a_server_that_asks_for_a_certificate_is_shown_one(authority, files):
    context = server_context(authority, asks_for_certificates=True)
    trusted = {"ca_file": str(files / "ca.pem")}
    with https_server(context) as url:
        shown = {"client_cert": str(files / "cert.pem"), "client_key": str(files / "key.pem")}
        assert ask(base_url=url, **trusted, **shown) == "secure"
        assert ask(base_url=url, **trusted, client_cert=str(files / "both.pem")) == "secure"
        with pytest.raises(EngineUnavailable):
            ask(base_url=url, **trusted)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ca_file": "none.pem"}, r"ca_file: there is no file none\.pem"),
        ({"client_cert": "none.pem"}, r"client_cert: there is no file none\.pem"),
        ({"ca_file": __file__}, "holds no certificate in PEM form"),
        ({"client_cert": __file__}, "and its key are no pair in PEM form"),
        (
            {"headers_env": {"X-Key": "IEAT_UNSET"}},
            "the environment variable IEAT_UNSET is not set",
        ),
        ({"proxy": "no url"}, r"proxy.*write http://HOST:PORT"),
    ],
)
def test_a_setting_of_no_use_is_a_mistake_before_anything_is_asked(settings, said):
    model = OpenAIChat("m", LanguageModelSettings(base_url="http://127.0.0.1:9/v1", **settings))
    with pytest.raises(ConfigError, match=said):
        model.prepare()


def test_a_proxy_is_used_by_setting_and_by_environment_and_not_where_it_says_no(monkeypatch):
    with OpenAIServer(lambda request: chat("hello")) as server, Proxy() as proxy:
        url = server.base_url
        assert ask(base_url=url, proxy=proxy.url) == "hello"
        assert len(proxy.heads) == 1
        assert proxy.heads[0].startswith(f"POST {url}/chat/completions ")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert ask(base_url=url) == "hello"
        assert len(proxy.heads) == 2
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert ask(base_url=url) == "hello"
        assert len(proxy.heads) == 2


def test_tls_goes_through_a_proxy_as_a_tunnel(authority, files):
    with https_server(server_context(authority)) as url, Proxy() as proxy:
        assert ask(base_url=url, ca_file=str(files / "ca.pem"), proxy=proxy.url) == "secure"
    assert proxy.heads[0].startswith("CONNECT localhost:")


# The client library's transport still uses what aiohttp is about to take away.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated", "ignore:The 'proxy_auth' parameter")
def test_a_proxy_that_is_not_there_is_named_without_its_password():
    with pytest.raises(EngineUnavailable) as gone:
        ask(base_url="http://127.0.0.1:9/v1", proxy="http://me:hunter22@127.0.0.1:9")
    assert "hunter22" not in gone.value.message


def test_organization_project_and_headers_are_sent(monkeypatch):
    monkeypatch.setenv("IEAT_TEAM_SECRET", "team-canary")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-environment")
    with OpenAIServer(lambda request: chat("hello")) as server:
        ask(
            base_url=server.base_url,
            project="project-1",
            headers={"X-Team": "speech"},
            headers_env={"X-Secret": "IEAT_TEAM_SECRET"},
        )
        ask(base_url=server.base_url, organization="org-of-the-settings")
        first, second = (
            {name.lower(): value for name, value in request.headers.items()}
            for request in server.requests
        )
    assert first["openai-organization"] == "org-of-the-environment"
    assert first["openai-project"] == "project-1"
    assert (first["x-team"], first["x-secret"]) == ("speech", "team-canary")
    assert second["openai-organization"] == "org-of-the-settings"
    assert first["content-type"] == "application/json"


def test_user_and_password_of_the_base_url_are_sent_in_place_of_the_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    with OpenAIServer(lambda request: chat("hello")) as server:
        url = server.base_url.replace("http://", "http://me:p%40ss@")
        assert ask(base_url=url) == "hello"
        [request] = server.requests
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_further_fields_of_the_body_are_sent_as_they_are():
    extra = '{"chat_template_kwargs":{"enable_thinking":false},"top_k":20}'
    question = QUESTION.model_copy(update={"sampling": Sampling(extra_body=extra)})
    with OpenAIServer(lambda request: chat("hello")) as server:
        ask(question, base_url=server.base_url)
        [request] = server.requests
    assert request.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert request.body["top_k"] == 20
    assert request.body["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("name", ["model", "messages", "response_format"])
def test_further_fields_do_not_replace_what_a_question_is(name):
    with pytest.raises(ValueError, match=f"extra_body may not hold {name}"):
        LanguageModelSettings(extra_body={name: "x"})

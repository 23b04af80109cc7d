"""The proofs: what they are over, and what is no proof."""

from collections.abc import Callable

import pytest

from custom_components.familiar_faces.engine.proof import ProofError, Secret, StreamSeal

NAME, DIGEST = "0" * 32, "1" * 64
ASKED = ("0" * 32, "POST", "/v1/faces?crops=1&min_face=40", DIGEST)


def test_each_part_of_a_request_is_proved() -> None:
    secret = Secret("token")
    proof = secret.of_request(*ASKED)
    others = [
        Secret("tokem").of_request(*ASKED),
        *(
            secret.of_request(*(f"{part}9" if at == changed else part for at, part in enumerate(ASKED)))
            for changed in range(4)
        ),
        # Parts that run into each other are other parts.
        secret.of_request("0" * 31, "0POST", *ASKED[2:]),
    ]
    assert len({proof, *others}) == 1 + len(others)
    assert secret.of_request(*ASKED) == proof


@pytest.mark.parametrize(
    "target",
    [
        "/v1/faces?min_face=40&crops=1",
        "/engine/v1/faces?crops=1&min_face=40",
        "/v1/faces?crops=%31&min_face=40",
    ],
)
def test_a_proxy_may_write_the_same_in_another_way(target: str) -> None:
    secret = Secret("token")
    assert secret.of_request(NAME, "POST", target, DIGEST) == secret.of_request(*ASKED)


def test_an_answer_is_the_answer_to_one_request() -> None:
    secret = Secret("token")
    proof = secret.of_answer("asked", 200, b"faces")
    assert proof != secret.of_answer("asked", 200, b"face")
    assert proof != secret.of_answer("asked", 201, b"faces")
    assert proof != secret.of_answer("another", 200, b"faces")


def _pair() -> tuple[StreamSeal, StreamSeal]:
    return StreamSeal(Secret("token"), "asked"), StreamSeal(Secret("token"), "asked")


def test_answers_on_a_stream_are_opened_while_it_goes_on() -> None:
    server, client = _pair()
    pieces = [b"one", b"two", b"three", b"four"]
    for piece in pieces:
        client.fed(piece)
    for piece in pieces[:2]:
        server.fed(piece)
    assert client.open("q 1", server.seal("q 1", "a 1")) == "a 1"
    for piece in pieces[2:]:
        server.fed(piece)
    sealed = server.seal("q 2", '{"status": 408}')
    assert client.open("q 2", sealed) == '{"status": 408}'
    # Nothing is kept of what was answered.
    assert len(client._known) == len(server._known) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda server: server.seal("another", "a"),
        lambda server: (server.fed(b"!"), server.seal("q", "a"))[1],
        lambda server: (server.seal("q", "a"), server.seal("q", "a"))[1],
        lambda server: server.seal("q", "a") + " ",
        lambda server: server.seal("q", "a").replace(" 1 ", " 0 "),
        lambda server: StreamSeal(Secret("token"), "another stream").seal("q", "a"),
        lambda server: StreamSeal(Secret("guessed"), "asked").seal("q", "a"),
        lambda server: "a",
        lambda server: "",
        lambda server: f"{'0' * 64} -1 a",
        lambda server: f"{'0' * 64} {'9' * 30} a",
        lambda server: "\ud800 \u0661 a",
    ],
)
def test_what_was_changed_on_a_stream_is_not_opened(wrong: Callable[[StreamSeal], str]) -> None:
    server, client = _pair()
    for seal in (server, client):
        seal.fed(b"a piece")
    with pytest.raises(ProofError):
        client.open("q", wrong(server))


def test_another_picture_in_a_stream_is_noticed() -> None:
    server, client = _pair()
    client.fed(b"a stranger")
    server.fed(b"a neighbour")
    with pytest.raises(ProofError):
        client.open("q", server.seal("q", "a"))

"""How the engine and its clients show each other that they know the token, without sending it.

On plain HTTP somebody on the way could read a token, or exchange a picture or an answer, and so put a name on a face.
So a request brings an HMAC-SHA256 by the token (RFC 2104) over its random name, what is asked and its body, and the
answer one over that and its own status and body: what is answered is the answer of the one who knows the token, to this
request, with this picture. The answers on a stream say so of each frame, over all that was sent until then.

There is no time in it, so it does not matter which time the clocks of the two machines have. A request that is sent
again by others gets the answer once more that they saw already.

Imported on both sides, so it needs nothing but the standard library.
"""

from collections.abc import Iterable
import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode

SCHEME = "Proof"
"""What `Authorization` begins with; the older scheme, `Bearer`, sends the token itself."""
PROOF = "X-Proof"
"""Header of an answer with its proof."""
DIGEST = "X-Content-SHA256"
"""Header of a request with the SHA-256 of its body, in hexadecimal digits."""
_API = "/v1/"


class ProofError(ValueError):
    """Something was said by somebody who does not know the token, or was changed on its way."""


class Secret:
    """What both sides make their proofs with."""

    def __init__(self, token: str) -> None:
        """Prove by `token`."""
        self._key = hashlib.sha256(b"familiar faces\0" + token.encode("utf-8", "surrogateescape")).digest()

    def of_request(self, name: str, method: str, target: str, digest: str) -> str:
        """Return the proof of a request.

        `name`: its `X-Request-Id`. `target`: path and query; what a proxy puts before the path, or how it writes the
        query, does not matter. `digest`: the SHA-256 of its body in hexadecimal digits.
        """
        return self._mac("request", name, method, _plain(target), digest)

    def of_answer(self, asked: str, status: int, body: bytes) -> str:
        """Return the proof of an answer to the request with the proof `asked`."""
        return self._mac("answer", asked, str(status), hashlib.sha256(body).hexdigest())

    def of_frame(self, asked: str, words: Iterable[str]) -> str:
        """Return the proof of something said on the stream that the request with the proof `asked` opened."""
        return self._mac("frame", asked, *words)

    def _mac(self, *parts: str) -> str:
        made = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            data = part.encode("utf-8", "surrogateescape")
            made.update(len(data).to_bytes(8) + data)
        return made.hexdigest()


class StreamSeal:
    """The proofs on one stream. Each side has one; the server's seals, the client's opens."""

    def __init__(self, secret: Secret, asked: str) -> None:
        """Begin a stream, which the request with the proof `asked` opened."""
        self._secret = secret
        self._asked = asked
        self._sent = hashlib.sha256()
        self._pieces = 0
        self._answers = 0
        self._known = {0: self._sent.hexdigest()}
        """What all that was sent comes to, by how many pieces that was."""

    def fed(self, piece: bytes) -> None:
        """Take note of a piece that was sent, or came."""
        self._sent.update(len(piece).to_bytes(8))
        self._sent.update(piece)
        self._pieces += 1
        self._known[self._pieces] = self._sent.hexdigest()

    def seal(self, question: str, answer: str) -> str:
        """Return an answer with its proof before it."""
        pieces, self._known = self._pieces, {self._pieces: self._known[self._pieces]}
        return f"{self._proof(question, pieces, answer)} {pieces} {answer}"

    def open(self, question: str, sealed: str) -> str:
        """Return the answer without its proof; raise ProofError when that is wrong or missing."""
        proof, _, rest = sealed.partition(" ")
        count, _, answer = rest.partition(" ")
        pieces = int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else -1
        if pieces not in self._known or not same(proof, self._proof(question, pieces, answer)):
            raise ProofError("the proof is missing or wrong")
        # Answers come in order, so none is about less.
        self._known = {count: digest for count, digest in self._known.items() if count >= pieces}
        return answer

    def _proof(self, question: str, pieces: int, answer: str) -> str:
        self._answers += 1
        return self._secret.of_frame(
            self._asked, (str(self._answers), question, str(pieces), self._known[pieces], answer)
        )


def same(given: str, right: str) -> bool:
    """Return whether two proofs are the same, in a time that says nothing of where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode())


def _plain(target: str) -> str:
    path, _, query = target.partition("?")
    at = path.rfind(_API)
    return f"{path[max(at, 0) :]}?{urlencode(sorted(parse_qsl(query, keep_blank_values=True)))}"

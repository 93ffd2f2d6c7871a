"""Refusals of the ZeroDB API: ``{"detail": <text>, "error_code": <UPPER_SNAKE>}`` and nothing internal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DOCS_HINT = "See the API documentation for the list of paths."


@dataclass(frozen=True)
class Problem:
    """One field that failed: where it is, why, and what kind of failure ('missing', 'string_type', …)."""

    location: tuple[str | int, ...]
    message: str
    kind: str
    code: str = "VALIDATION_ERROR"

    def as_json(self) -> dict[str, Any]:
        return {"loc": list(self.location), "msg": self.message, "type": self.kind}


class ApiError(Exception):
    """An answer with status >= 400. ``detail`` is for people, ``code`` for programs."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        return {"detail": self.detail, "error_code": self.code}


class ValidationFailed(ApiError):
    """422 with one entry per failing field. The code is that of the problems when they agree."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        codes = {problem.code for problem in problems}
        code = codes.pop() if len(codes) == 1 else "VALIDATION_ERROR"
        if code == "VALIDATION_ERROR":
            detail = f"Validation error on field '{_field_name(first)}': {first.message}"
        else:
            detail = first.message
        super().__init__(422, code, detail)
        self.problems = tuple(problems)

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"validation_errors": [problem.as_json() for problem in self.problems]}


def _field_name(problem: Problem) -> str:
    names = [part for part in problem.location[1:] if isinstance(part, str)]
    return names[-1] if names else str(problem.location[0])


def invalid_field(name: str, message: str, *, kind: str = "value_error", code: str = "VALIDATION_ERROR") -> ApiError:
    """A refusal of one body field, found outside of the field readers."""
    return ValidationFailed([Problem(("body", name), message, kind, code)])


def path_not_found(path: str) -> ApiError:
    return ApiError(404, "PATH_NOT_FOUND", f"The path '{path}' was not found. {DOCS_HINT}")


def project_not_found(project_id: str) -> ApiError:
    return ApiError(404, "PROJECT_NOT_FOUND", f"Project not found: {project_id}")


def project_suspended(project_id: str) -> ApiError:
    return ApiError(
        403,
        "PROJECT_SUSPENDED",
        f"Project {project_id} is suspended: it can be read but not changed until it is active.",
    )


def vector_not_found(vector_id: str, namespace: str) -> ApiError:
    return ApiError(404, "VECTOR_NOT_FOUND", f"Vector '{vector_id}' not found in namespace '{namespace}'")


def memory_not_found(memory_id: str) -> ApiError:
    return ApiError(404, "MEMORY_NOT_FOUND", f"Memory not found: {memory_id}")


def agent_not_found(agent_id: str) -> ApiError:
    return ApiError(404, "AGENT_NOT_FOUND", f"Agent not found: {agent_id}")


def table_not_found(table: str) -> ApiError:
    return ApiError(404, "TABLE_NOT_FOUND", f"Table not found: {table}")


def table_exists(name: str) -> ApiError:
    return ApiError(409, "TABLE_ALREADY_EXISTS", f"Table '{name}' already exists in this project.")


def invalid_schema(detail: str) -> ApiError:
    return ApiError(400, "INVALID_SCHEMA", detail)


def row_not_found(row_id: str) -> ApiError:
    return ApiError(404, "ROW_NOT_FOUND", f"Row not found: {row_id}")


def event_not_found(event_id: str) -> ApiError:
    return ApiError(404, "EVENT_NOT_FOUND", f"Event not found: {event_id}")


def invalid_api_key(detail: str) -> ApiError:
    return ApiError(401, "INVALID_API_KEY", detail)


def invalid_token(detail: str) -> ApiError:
    return ApiError(401, "INVALID_TOKEN", detail)


def immutable_record(kind: str) -> ApiError:
    return ApiError(
        403, "IMMUTABLE_RECORD", f"Records of {kind} are append-only: they can be neither changed nor deleted."
    )


def internal_error() -> ApiError:
    return ApiError(500, "INTERNAL_SERVER_ERROR", "The server met an unexpected condition. Please try again later.")

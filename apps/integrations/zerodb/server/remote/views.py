"""``/zerodb/mcp/…``: the third door. One address, operations by name; anything but 200 is a failure."""

from __future__ import annotations

from typing import Any

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import Problem, ValidationFailed, invalid_field
from apps.integrations.zerodb.server.remote.beyond import NOT_SERVED
from apps.integrations.zerodb.server.remote.inner_call import InnerCall
from apps.integrations.zerodb.server.remote.operations import OPERATIONS, Operation
from apps.integrations.zerodb.server.scopes import Form, ProjectReference


def list_operations(call: Call) -> dict[str, Any]:
    """``GET …/mcp/operations``."""
    found = [{"name": name, "description": operation.summary} for name, operation in OPERATIONS.items()]
    return {"operations": found, "total": len(found)}


def execute(call: Call) -> dict[str, Any]:
    """``POST …/mcp/execute {operation, params}``: what the operation's route answers, always with 200."""
    body = call.body
    name = body.text("operation", required=True, blank=False) or ""
    params = body.mapping("params") or {}
    body.finish()
    operation = OPERATIONS.get(name)
    if operation is None:
        # 422, since the client tries 404 and 5xx three times more before it believes them.
        words = (
            f"Operation '{name}' is not supported.",
            NOT_SERVED.get(name),
            "GET mcp/operations lists those that are.",
        )
        raise invalid_field("operation", " ".join(filter(None, words)), kind="enum")
    answer = _done(call, operation, params)
    return answer if isinstance(answer, dict) else {"result": answer}


def _done(call: Call, operation: Operation, params: dict[str, Any]) -> Any:
    given = dict(operation.defaults) | {operation.renamed.get(name, name): value for name, value in params.items()}
    # Lists hand their filters over in an object of their own.
    if isinstance(given.get("filters"), dict) and operation.summary.startswith("List "):
        given |= given.pop("filters")
    missing = [name for name in operation.path if not isinstance(given.get(name), str) or not given[name]]
    if missing:
        raise ValidationFailed([Problem(("body", "params", name), "Field required", "missing") for name in missing])
    arguments = {name: given.pop(name) for name in operation.path}
    if not operation.in_project:
        answer = operation.view(InnerCall(call, given), **arguments)
    else:
        project_id = given.pop("project_id", None)
        if project_id is not None and not isinstance(project_id, str):
            raise invalid_field("params", "project_id should be a string", kind="string_type")
        inner = InnerCall(call, given)
        inner.counted = operation.counted
        answer = operation.view(inner, ProjectReference(Form.CALL, project_id), **arguments)
        call.allowance = inner.allowance
    return answer[1] if isinstance(answer, tuple) else answer

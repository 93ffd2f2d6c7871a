"""What this floor puts into the side bar and the dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.accounts.pages.door import account_of
from apps.accounts.pages.registry import Panel, Section, Step, register
from apps.integrations.models import AINativeProject
from apps.integrations.pages.ai import state_of
from apps.integrations.zerodb.provisioning import project_of


def register_all() -> None:
    """Called once, at start-up."""
    register(
        Section("Build", "integrations", "plug", "Integrations", "integrations.view", 30, family="integration"),
        Section("Build", "ai", "sparkles", "AI features", "project.view", 40, tab="AI", family="ai"),
        Step(
            "Your AI project",
            "It is set up in the background, with a key of its own that no page shows.",
            "Look",
            "ai",
            "project.view",
            50,
            _is_ready,
        ),
        Panel("integrations/ai/panel.html", "project.view", 10, _project, place="side"),
    )


def _is_ready(request: HttpRequest) -> bool:
    return AINativeProject.objects.filter(AINativeProject.ready()).exists()


def _project(request: HttpRequest) -> dict[str, Any] | None:
    project = project_of(account_of(request))
    state, words = state_of(project)
    return {"project": project, "state": state, "words": words}

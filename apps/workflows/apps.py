"""Floor 4: graphs, engine, knowledge, deployments."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Floor 4: graphs, engine, knowledge, deployments."""

    name = "apps.workflows"
    label = "workflows"
    default_auto_field = "django.db.models.BigAutoField"

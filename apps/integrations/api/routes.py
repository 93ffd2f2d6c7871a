"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.integrations.api import consent, health, integrations, project, usage

urlpatterns = [
    path("project", project.ProjectView.as_view(), name="project"),
    path("project/provision", project.ProjectProvisionView.as_view(), name="project_provision"),
    path("project/settings", project.ProjectSettingsView.as_view(), name="project_settings"),
    path("integrations", integrations.IntegrationsView.as_view(), name="integrations"),
    path("integrations/available", integrations.AvailableIntegrationsView.as_view(), name="integrations_available"),
    path("integrations/<uuid:integration_id>", integrations.IntegrationView.as_view(), name="integration"),
    path(
        "integrations/<uuid:integration_id>/health", health.IntegrationHealthView.as_view(), name="integration_health"
    ),
    path("integrations/<uuid:integration_id>/usage", usage.IntegrationUsageView.as_view(), name="integration_usage"),
    path(
        "integrations/<uuid:integration_id>/test", integrations.IntegrationTestView.as_view(), name="integration_test"
    ),
    path(
        "integrations/<uuid:integration_id>/rotate",
        integrations.IntegrationRotateView.as_view(),
        name="integration_rotate",
    ),
    path(
        "integrations/<uuid:integration_id>/toggle",
        integrations.IntegrationToggleView.as_view(),
        name="integration_toggle",
    ),
    path(
        "integrations/<uuid:integration_id>/connect",
        consent.IntegrationConnectView.as_view(),
        name="integration_connect",
    ),
]

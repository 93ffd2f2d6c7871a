"""Addresses that outside services send to."""

from django.urls import path

from apps.integrations.webhooks.views import provider_delivery

urlpatterns = [
    path("integrations/<uuid:integration_id>/", provider_delivery, name="provider_delivery"),
]

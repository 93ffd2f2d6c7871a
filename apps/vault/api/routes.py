"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.vault.api import contacts

urlpatterns = [
    path("contacts", contacts.ContactsView.as_view(), name="contacts"),
    path("contacts/<uuid:contact_id>", contacts.ContactView.as_view(), name="contact"),
]

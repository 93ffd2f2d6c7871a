"""Addresses of this floor's pages, below /app/<slug>/ in the namespace ``app``."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.vault.pages import audit, contact, contact_form, contacts, import_mapping, imports

tenant: list[URLPattern] = [
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/new/", contact_form.create, name="contact_new"),
    path("contacts/import/", imports.choose, name="contacts_import"),
    path("contacts/import/<uuid:import_id>/", imports.one, name="contacts_import_one"),
    path("contacts/import/<uuid:import_id>/reading/", import_mapping.reading, name="contacts_import_reading"),
    path("contacts/import/<uuid:import_id>/cancel/", imports.cancel, name="contacts_import_cancel"),
    path("contacts/import/<uuid:import_id>/rejected/", imports.rejected, name="contacts_import_rejected"),
    path("contacts/<uuid:contact_id>/", contact.contact, name="contact"),
    path("contacts/<uuid:contact_id>/edit/", contact_form.edit, name="contact_edit"),
    path("contacts/<uuid:contact_id>/export/", contact.export, name="contact_export"),
    path("contacts/<uuid:contact_id>/delete/", contact.delete, name="contact_delete"),
    path("audit/", audit.trail, name="audit"),
    path("audit/report/", audit.download, name="audit_report"),
    path("audit/proof/", audit.proof, name="audit_proof"),
]

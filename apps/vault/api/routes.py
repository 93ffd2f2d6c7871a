"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.vault.api import audit, contact_imports, contacts, tokens

urlpatterns = [
    path("audit", audit.AuditView.as_view(), name="audit"),
    path("audit/report", audit.AuditReportView.as_view(), name="audit_report"),
    path("audit/proof", audit.AuditProofView.as_view(), name="audit_proof"),
    path("contacts", contacts.ContactsView.as_view(), name="contacts"),
    path("contacts/<uuid:contact_id>", contacts.ContactView.as_view(), name="contact"),
    path("contacts/<uuid:contact_id>/export", contacts.ContactExportView.as_view(), name="contact_export"),
    path("contacts/import", contact_imports.ContactImportsView.as_view(), name="contact_imports"),
    path("contacts/import/<uuid:import_id>", contact_imports.ContactImportView.as_view(), name="contact_import"),
    path(
        "contacts/import/<uuid:import_id>/rejected",
        contact_imports.RejectedRowsView.as_view(),
        name="contact_import_rejected",
    ),
    path("tokens", tokens.TokensView.as_view(), name="tokens"),
    path("tokens/<str:kind>", tokens.TokenView.as_view(), name="token"),
]

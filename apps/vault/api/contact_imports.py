"""``contacts/import``: a list of contacts as a file, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from apps.accounts.api.jobs import JobSerializer, show_job
from apps.accounts.api.preconditions import answer_object
from apps.accounts.api.serializers import Input, Time
from apps.accounts.api.views import AccountView, answer
from apps.vault.contact_import.mapping import FIELDS
from apps.vault.contact_import.reading import Format
from apps.vault.downloads import rejected_rows
from apps.vault.models import ContactImport
from apps.vault.services import contact_imports as service


class ContactImportInput(Input):
    """A file and how it is to be taken."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="CSV in any common encoding and delimiter, with a header."
    )
    mapping = serializers.CharField(
        required=False,
        max_length=100_000,
        help_text="JSON object of columns and the fields they become; what it does not name is guessed. Fields: "
        f"{', '.join(FIELDS)}, attribute:<key>, leave_out.",
    )
    duplicates = serializers.ChoiceField(
        choices=ContactImport.Duplicates.choices,
        default=ContactImport.Duplicates.MERGE,
        help_text="What becomes of a row whose e-mail, phone or identifier a contact has already.",
    )
    region = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2,
        help_text="Country (ISO 3166) of phone numbers without +code; the account's own when left out.",
    )
    encoding = serializers.CharField(required=False, max_length=40, help_text="Only when it is guessed wrong.")

    def validate_mapping(self, text: str) -> dict[str, str]:
        try:
            mapping = json.loads(text)
        except ValueError:
            raise serializers.ValidationError("This is not JSON.", code="malformed_json") from None
        if not isinstance(mapping, dict) or not all(isinstance(field, str) for field in mapping.values()):
            raise serializers.ValidationError('Send an object as in {"Mobile": "phone"}.', code="not_an_object")
        return mapping


class ContactImportSerializer(serializers.Serializer[Any]):
    """A list of contacts that was sent. ``added + merged + unchanged + rejected`` make up the rows done."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    encoding = serializers.CharField(help_text="As the file was read.")
    delimiter = serializers.CharField()
    mapping = serializers.DictField(child=serializers.CharField(), help_text="Each column and the field it became.")
    duplicates = serializers.ChoiceField(choices=ContactImport.Duplicates.choices)
    region = serializers.CharField(source="default_region")
    rows = serializers.IntegerField(source="rows_total")
    rows_done = serializers.IntegerField()
    added = serializers.IntegerField()
    merged = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    job = serializers.UUIDField(source="job_id", allow_null=True)
    created_at = Time()
    finished_at = Time(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        form = Format.from_json(instance.format)
        instance.encoding, instance.delimiter = form.encoding_name, form.delimiter
        return super().to_representation(instance)


class ContactImportsView(AccountView):
    """Sending a list of contacts."""

    actions: ClassVar = {"POST": "contacts.import"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="contacts_import",
        summary="Import contacts from a CSV",
        request={"multipart/form-data": ContactImportInput},
        responses={202: JobSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Answers the job at once. Its result has the figures and ``contact_import``, where the rejected rows are.

        Safe to repeat: contacts that are there already are not made again.
        """
        wanted = self.body(ContactImportInput)
        file = wanted["file"]
        started = service.import_contacts(
            actor=self.actor,
            file_name=file.name or "",
            content=file.chunks(),
            mapping=wanted.get("mapping"),
            duplicates=wanted["duplicates"],
            default_region=wanted.get("region"),
            encoding=wanted.get("encoding"),
        )
        location = reverse("api:job", args=[started.job_id])
        return answer(show_job(started.job), status=202, headers={"Location": location})


class ContactImportView(AccountView):
    """One list that was sent."""

    actions: ClassVar = {"GET": "contacts.import"}

    @extend_schema(operation_id="contacts_import_read", summary="Read an import", responses=ContactImportSerializer)
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """How the file was read, how its columns were mapped, and the figures so far."""
        found = ContactImport.objects.get(pk=import_id)
        return answer_object(request, ContactImportSerializer(found).data)


class RejectedRowsView(AccountView):
    """The rows of a list that were not taken."""

    actions: ClassVar = {"GET": "contacts.import"}

    @extend_schema(
        operation_id="contacts_import_rejected",
        summary="Rejected rows as CSV",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The file's columns, then row and reason.")},
    )
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """Correct them and send the file again: its last two columns are then left out by themselves."""
        return rejected_rows(ContactImport.objects.get(pk=import_id))

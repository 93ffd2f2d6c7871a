"""The list of contacts as anybody writes it with REST framework: the other side of G7.

Nothing in it is slower than it has to be: one query for the token, one for the contacts, no count, no cursors.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.authentication import TokenAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from tests.bench.twin.models import PlainContact, PlainToken


class PlainTokenAuthentication(TokenAuthentication):
    """``Authorization: Token …``, looked up in the database at every request."""

    model = PlainToken


class PlainContactSerializer(ModelSerializer[PlainContact]):
    """The columns that the product's API shows."""

    class Meta:
        model = PlainContact
        fields: ClassVar = [
            *("id", "name", "email", "phone", "identifier", "contact_type", "custom_attributes"),
            *("last_activity_at", "created_at", "updated_at"),
        ]


class PlainContacts(ListAPIView[PlainContact]):
    """The 50 with the latest activity."""

    authentication_classes = [PlainTokenAuthentication]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    serializer_class = PlainContactSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        """Of the token's company."""
        rows = PlainContact.objects.filter(company_id=self.request.auth.company_id)
        return rows.order_by("-last_activity_at", "-id")[:50]

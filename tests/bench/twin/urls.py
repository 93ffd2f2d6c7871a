from django.urls import path

from tests.bench.twin.api import PlainContacts

urlpatterns = [path("contacts", PlainContacts.as_view())]

"""Words that the team puts on conversations."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from apps.accounts.tenancy.models import TenantModel


class Label(TenantModel):
    """A word and its colour. Not encrypted: lists are filtered by it, so it should name a topic and no person."""

    class Colour(models.TextChoices):
        """The tints that the pages have (static/css/strongroom.css)."""

        PETROL = "petrol", "Petrol"
        BLUE = "blue", "Blue"
        AMBER = "amber", "Amber"
        RED = "red", "Red"
        GREY = "grey", "Grey"

    name = models.CharField(max_length=50)
    description = models.CharField(max_length=200, blank=True)
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.GREY)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint("account", Lower("name"), name="label_name_once")]

    def __str__(self) -> str:
        return self.name

"""The twin on WSGI, with the two lightest middlewares of a new Django project."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

django.setup(set_prefix=False)
# Only now: the product's applications, whose models the twin refers to, insist on middleware when they are set up.
settings.MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
application = WSGIHandler()

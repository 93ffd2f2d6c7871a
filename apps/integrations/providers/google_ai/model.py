"""LangChain's model for the Gemini API, on a connection of ours. Takes seconds to import."""

from __future__ import annotations

import logging
import ssl
from typing import Any, Self

from google.genai import Client, types
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import Field, model_validator

from apps.integrations.language_models.lent_model import LentModel

# It writes a line about automatic calls of functions, which we don't use, for every request.
logging.getLogger("google_genai.models").setLevel(logging.WARNING)

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For the library's own connections, which are never made: reading the system's certificates takes time."""


class GoogleModel(LentModel, ChatGoogleGenerativeAI):
    """``lent`` is the way out."""

    lent: Any = Field(exclude=True, repr=False)

    @model_validator(mode="after")
    def validate_environment(self) -> Self:
        """In place of LangChain's, which reads the environment and makes connections of its own."""
        assert self.google_api_key is not None
        self.client = Client(
            api_key=self.google_api_key.get_secret_value(),
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=str(self.base_url),
                api_version=self.api_version,
                httpx_client=self.lent.client,
                httpx_async_client=self.lent.asynchronous,
                client_args={"verify": _TRUSTS_NOBODY},
            ),
        )
        self.default_metadata = ()
        return self

"""What a project's own key does: everything inside that project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.integrations.zerodb.client import answers
from apps.integrations.zerodb.client.answers import Embeddings, Hit, Memory, Project, StoredTexts, VectorStatistics
from apps.integrations.zerodb.client.session import Session, segment

DEFAULT_MODEL = "BAAI/bge-small-en-v1.5"


class ProjectClient(Session):
    """One project of a ZeroDB server."""

    def __init__(
        self, base_url: str, api_key: str, project_id: str, *, model: str = DEFAULT_MODEL, **options: Any
    ) -> None:
        super().__init__(base_url, api_key, **options)
        self.project_id = project_id
        self.model = model
        self._at = f"projects/{segment(project_id)}"

    def get(self) -> Project:
        """The project itself. Raises KeyRefused, NotFound, OutboundError."""
        return answers.read_project(self.ask_for("GET", self._at))

    def change_settings(self, settings: Mapping[str, Any]) -> Project:
        """Merge ``settings`` into those of the project; safe to repeat. Raises OutboundError."""
        body = self.ask_for("PATCH", f"{self._at}/settings", json=dict(settings), repeatable=True)
        return answers.read_project(body)

    # --- embeddings

    def generate(self, texts: Sequence[str], *, model: str = "") -> Embeddings:
        """Vectors for up to 100 texts, by ``model`` or the project's own. Raises OutboundError."""
        body = {"texts": list(texts), "model": model or self.model}
        return answers.read_embeddings(
            self.ask_for("POST", f"{self._at}/embeddings/generate", json=body, repeatable=True)
        )

    def embed_and_store(self, documents: Sequence[Mapping[str, Any]], *, namespace: str) -> StoredTexts:
        """Embed and store up to 100 ``{id, text, metadata}``; replaces those ids, so it is safe to repeat.

        Raises OutboundError.
        """
        body = {
            "documents": [dict(entry) for entry in documents],
            "namespace": namespace,
            "model": self.model,
            "upsert": True,
        }
        return answers.read_stored(
            self.ask_for("POST", f"{self._at}/embeddings/embed-and-store", json=body, repeatable=True)
        )

    def search(
        self,
        query: str,
        *,
        namespace: str,
        limit: int = 10,
        threshold: float = 0.0,
        conditions: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """Texts nearest in meaning to ``query``, best first. Raises OutboundError."""
        body: dict[str, Any] = {
            "query": query,
            "namespace": namespace,
            "model": self.model,
            "top_k": limit,
            "similarity_threshold": threshold,
        }
        if conditions:
            body["metadata_filter"] = dict(conditions)
        return answers.read_hits(self.ask("POST", f"{self._at}/embeddings/search", json=body, repeatable=True))

    # --- vectors

    def put_vectors(self, vectors: Sequence[Mapping[str, Any]], *, namespace: str) -> None:
        """Store up to 1,000 ``{id, vector, metadata}`` without texts; replaces those ids, so it is safe to repeat.

        Raises OutboundError.
        """
        body = {"vectors": [dict(entry) for entry in vectors], "namespace": namespace}
        self.ask("POST", f"{self._at}/database/vectors/batch-upsert", json=body, repeatable=True)

    def nearest(
        self,
        vector: Sequence[float],
        *,
        namespace: str,
        limit: int = 10,
        threshold: float = 0.0,
        conditions: Mapping[str, Any] | None = None,
        with_vectors: bool = False,
    ) -> list[Hit]:
        """Up to 1,000 vectors nearest to ``vector``, best first. Raises OutboundError."""
        body: dict[str, Any] = {
            "query_vector": list(vector),
            "namespace": namespace,
            "limit": limit,
            "similarity_threshold": threshold,
            "include_vectors": with_vectors,
        }
        if with_vectors:
            body["vector_encoding"] = "base64"  # other servers ignore it, and answer lists
        if conditions:
            body["metadata_filter"] = dict(conditions)
        return answers.read_hits(self.ask("POST", f"{self._at}/database/vectors/search", json=body, repeatable=True))

    def vector(self, vector_id: str, *, namespace: str) -> Sequence[float]:
        """One stored vector. Raises NotFound, OutboundError."""
        params = {"namespace": namespace, "include_vector": "true"}
        body = self.ask_for("GET", f"{self._at}/database/vectors/{segment(vector_id)}", params=params)
        return answers.read_vector(body)

    def delete_vectors(self, ids: Sequence[str], *, namespace: str) -> None:
        """Remove vectors; those that are not there are no error. Raises OutboundError."""
        self.ask("DELETE", f"{self._at}/database/vectors", json={"ids": list(ids), "namespace": namespace})

    def vector_statistics(self, namespace: str | None = None) -> VectorStatistics:
        """How many vectors there are. Raises OutboundError."""
        params = {"namespace": namespace} if namespace else None
        return answers.read_statistics(self.ask_for("GET", f"{self._at}/database/vectors/stats", params=params))

    # --- memory

    def remember(
        self, content: str, *, metadata: Mapping[str, Any], tags: Sequence[str] = (), priority: str = "medium"
    ) -> Memory:
        """Store a fact. Not repeated when the outcome is unknown: it could be there twice. Raises OutboundError."""
        body = {"content": content, "metadata": dict(metadata), "tags": list(tags), "priority": priority}
        return answers.read_memory(self.ask("POST", f"{self._at}/database/memory", json=body, repeatable=False))

    def memories(self, *, limit: int = 100, offset: int = 0, **equal: str) -> list[Memory]:
        """Facts whose metadata equal ``equal``, newest first. Raises OutboundError."""
        params = {"limit": limit, "offset": offset, **equal}
        body = self.ask("GET", f"{self._at}/database/memory", params=params)
        return [answers.read_memory(item) for item in answers.entries(body, "memories", "results")]

    def recall(self, query: str, *, limit: int = 10, conditions: Mapping[str, Any] | None = None) -> list[Memory]:
        """Facts that answer ``query``, best first, with scores. Raises OutboundError."""
        body: dict[str, Any] = {"query": query, "limit": limit}
        if conditions:
            body["filter_metadata"] = dict(conditions)
        found = self.ask("POST", f"{self._at}/database/memory/search", json=body, repeatable=True)
        return [answers.read_memory(item) for item in answers.entries(found, "results", "memories")]

    def forget(self, memory_id: str) -> None:
        """Remove a fact. Raises NotFound, OutboundError."""
        self.ask("DELETE", f"{self._at}/database/memory/{segment(memory_id)}")

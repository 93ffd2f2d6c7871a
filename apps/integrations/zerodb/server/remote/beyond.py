"""Operations that the vendor's client knows and this server does not have, each with the reason.

The line is the contract's: an operation is served where one of its routes does the same. What has no route there would
be a guess, and an answer that pretends is worse than a refusal.
"""

from __future__ import annotations

_REASONS: dict[str, tuple[str, ...]] = {
    "The database does this by itself, all the time; nothing has to be asked for.": ("optimize_vector_storage",),
    "There are no files to download from here. list_vectors reads all vectors, page by page, get_vector one whole.": (
        "export_vectors",
    ),
    "Embeddings are not counted by key. get_project_stats says what a project holds.": ("embedding_usage",),
    "Every project has its store from the beginning, and no connection to a database is handed out.": (
        "enable_database",
    ),
    "Events are not streamed. list_events with start_date reads what came since.": ("subscribe_to_events",),
    "Ratings are kept with what they rate, by rlhf_collect_interaction; rlhf_get_summary adds them up.": (
        "rlhf_collect_agent_feedback",
        "rlhf_collect_workflow_feedback",
        "rlhf_collect_error_report",
        "rlhf_get_status",
        "rlhf_start_collection",
        "rlhf_stop_collection",
        "rlhf_get_session_interactions",
        "rlhf_broadcast_event",
    ),
    "Files are not kept here.": (
        "upload_file",
        "download_file",
        "list_files",
        "delete_file",
        "get_file_metadata",
        "generate_presigned_url",
    ),
    "Nothing here computes with quanta.": (
        "quantum_compress_vector",
        "quantum_decompress_vector",
        "quantum_hybrid_similarity",
        "quantum_optimize_space",
        "quantum_feature_map",
        "quantum_kernel_similarity",
    ),
    "A key reaches its own caller's projects; the whole is its operator's, who has commands for it.": (
        "admin_get_system_stats",
        "admin_list_all_projects",
        "admin_get_user_usage",
        "admin_system_health",
        "admin_optimize_database",
    ),
}
NOT_SERVED: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names}
"""Why each is refused, in a sentence for people that names what to use instead where there is something."""

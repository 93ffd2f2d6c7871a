"""OpenAI: the GPT models, and embeddings."""

"""Google AI: the Gemini models, and embeddings."""

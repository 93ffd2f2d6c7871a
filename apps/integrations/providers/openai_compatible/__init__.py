"""Any server that speaks OpenAI's protocol: OpenRouter, Ollama, vLLM, llama.cpp and others."""

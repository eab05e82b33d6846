"""The backend for models in Hugging Face format: label scoring and generation on this machine."""

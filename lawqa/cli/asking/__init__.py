"""Commands that ask a model: evaluate, distill, and the flags of models, prompts and servers."""

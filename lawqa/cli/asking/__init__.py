"""Commands that ask a model: evaluate, ladder, distill, pool; the flags of models, prompts and servers."""

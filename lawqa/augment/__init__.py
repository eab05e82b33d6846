"""More to learn from, without a language model: questions made of statutes, and statutes to read.

    question_types  the types of questions, and how ids tell them
    provisions      articles taken apart: paragraphs, items, sentences, their names
    numerals        kanji numerals and quantities
    questions       what may be quoted, what may be altered, three ways to ask
    comprehension   questions that must be read, not searched
    placing         which drafts are kept, their names, and the places of their right answers
    statutes        all of these together
    citing          the articles that questions cite
    reading         plain text and its packing
    reasoning       a model's own answers: filters, and which of them are learnt from
    shortcuts       what a question file can be solved by without reading it

Knows nothing about files but its own. Deterministic for a seed, on every machine and Python.
"""

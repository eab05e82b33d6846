"""More to learn from, without a language model: questions made of statutes, and statutes to read.

    question_types  the types of questions, and how ids tell them
    provisions      articles taken apart: paragraphs, items, sentences, their names
    numerals        kanji numerals and quantities
    standing        which sentences can stand alone
    excerpts        the sentences and items that questions are made of
    statute         the wording, quantities and actors of one statute
    actors          which actors must not be each other's wrong answer
    modality        must, may, must not
    cloze           the missing words
    alterations     one fact of a sentence altered
    altered         the true statement among altered ones
    which           the provision that says it
    citing          the articles that questions cite
    comprehension   questions that must be read, not searched
    reasoning       a model's own answers: filters, and which of them are learnt from
    shortcuts       what a question file can be solved by without reading it
    drafts          questions before their choices are in order
    placing         which drafts are kept, their names, and the places of their right answers
    statutes        all of these together
    reading         plain text and its packing

Knows nothing about files but its own. Deterministic for a seed, on every machine and Python.
"""

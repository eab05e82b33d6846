"""Four-choice questions made of provisions: what may be quoted, what may be altered, three ways to ask.

    statute_facts       the wording, quantities and actors of one statute
    self_contained      which sentences can stand alone
    excerpts            the sentences and items that questions are made of
    actors              which actors must not be each other's wrong answer
    modality            must, may, must not
    alterations         one fact of a sentence altered
    cloze               the missing words
    altered_statements  the true statement among altered ones
    which_provision     the provision that says it
    drafts              questions before their choices are in order

None of them asks a language model; `comprehension` has the questions that must be read.
"""

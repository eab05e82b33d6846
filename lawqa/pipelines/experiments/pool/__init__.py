"""A pool of sampled answers: drawn once, kept whole, selected from as often as wanted.

files      where a pool's parts are, and how its lines and prompts are read and written
config     what is sampled, and what a pool keeps of it
sampling   draws what is missing
selecting  makes records of what passes the filters
pairs      makes pairs of right and wrong samples of one prompt
"""

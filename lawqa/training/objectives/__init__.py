"""What a step of training makes of its records: rows, how each counts, and what is reported.

base     what the trainer asks of an objective
answers  the cross entropy of answers
pairs    preferences between a right and a wrong answer (DPO)
policy   rewards of samples that the model draws itself (RLOO)
"""

"""How fast this machine is: measured once, kept, and what every estimate is made of.

speeds     what was measured, as it is kept for each card and version
measure    measures it with a model, within a time
estimates  how long the lab's usual work takes at these speeds
"""

"""A stage on AWS from this machine, in the order in which things happen.

release (what is deployed) → account (clients) → held, adopt (what an earlier stage left) →
changes, stacks (change sets) → deploy; wanted, push, partner, standing, destroy

In daily use: landing (files in, reports back), pull, again (dead letters, reconciliation), versions (the way back),
recover.

`deploy.py` is the story. Everything may be run again at any time, and goes on where an interrupted run stopped.
"""

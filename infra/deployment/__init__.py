"""A stage on AWS from this machine, in the order in which things happen.

release (what is deployed) → account (clients) → stacks (change sets, events) → deploy; then push, partner, status, destroy

`deploy.py` is the story. Everything may be run again at any time, and goes on where an interrupted run stopped.
"""

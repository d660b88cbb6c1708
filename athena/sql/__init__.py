"""What a statement is and what becomes of it, on the way from a caller's text to SQL that is safe to run.

``tokens`` (bounds that keep the parser safe) → ``nodes`` (every node against ``grammar`` and ``functions``) → a
statement. Then, with a grant: ``resolve`` (what each name means: ``from_clause``, ``scopes``, ``sources``; what type
it has and whether it may fail: ``kinds``, ``judge``; which conditions may go below a guard: ``filters``) → ``guard``
(each dataset behind its grant) → ``verify`` (the text read again and compared). ``effort`` bounds what all of it may
cost.
"""

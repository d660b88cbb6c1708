"""The write story's parts on AWS: landing, contracts, reports and data files on S3, the ledger in DynamoDB, the catalog
in Glue. ``intake.py`` puts them together; the story itself is the same as in the embedded home.
"""

"""What is deployed to AWS, built on a developer's machine or in CI: the function's bundle (`bundle.py`)."""

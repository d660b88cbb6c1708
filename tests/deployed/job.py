"""One run of the Glue job without Spark: `python -m tests.deployed.job STAGE MANIFEST`, with the job's own role."""

import logging
import os
import sys

from athena.aws import client
from athena.settings_aws import read_settings_without_secrets
from etl.aws.intake import Places
from etl.intake import Intake
from etl.job import load_manifest


def main(stage: str, manifest: str) -> None:
    """Load what the manifest names."""
    logging.basicConfig(level=logging.INFO)
    settings = read_settings_without_secrets(stage, os.environ, client("ssm"))
    manifests = Places(settings, client("s3")).tables("manifests/")
    load_manifest(Intake.aws(settings), manifests, manifest.rpartition("/")[2])


if __name__ == "__main__":
    main(*sys.argv[1:3])

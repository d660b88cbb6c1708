"""A stage made again over what an earlier one of its name has left: its buckets, tables and logs are taken over.

CloudFormation imports only what a template names in plain letters: "Dynamic names (using !Ref or other functions) are
not currently supported" (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html).
So the templates that are uploaded for such a deployment name what is there; the next deployment brings the usual ones,
whose names come to the same. What cannot be imported like that: a bucket's policy goes and is made again, the
catalog's database stays as it is, outside of the stack, and the user pool is made anew beside the old one.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from botocore.exceptions import ClientError

from infra.deployment.account import Account, code_of
from infra.deployment.held import Held
from infra.deployment.release import Release

_NAMED = re.compile(r"^( +(?:BucketName|TableName|LogGroupName): )!Sub (\S+)$", re.MULTILINE)


def adopting(release: Release, left: Held) -> Release:
    """The release that takes over what is left."""
    there = (*left.buckets, *left.tables, *left.logs)
    without = {"MakeDatabase": "false"} if left.databases else {}
    return replace(
        release,
        parameters={**release.parameters, **without},
        templates={name: plainly_named(text, there) for name, text in release.templates.items()},
    )


def plainly_named(template: str, there: Iterable[str]) -> str:
    """The template with the names of what is there written out.

    >>> print(plainly_named("  BucketName: !Sub lakegate-${Stage}-logs-${AWS::Region}", ["lakegate-a-logs-here"]))
      BucketName: lakegate-a-logs-here
    >>> print(plainly_named("  TableName: !Sub lakegate-${Stage}-state", ["lakegate-a-cache"]))
      TableName: !Sub lakegate-${Stage}-state
    """

    def name(found: re.Match[str]) -> str:
        parts = re.split(r"\$\{[^}]+\}", found[2])
        wanted = re.compile("[a-z0-9-]+".join(re.escape(part) for part in parts))
        known = next((one for one in there if wanted.fullmatch(one)), None)
        return found[0] if known is None else f"{found[1]}{known}"

    return _NAMED.sub(name, template)


def unlock(buckets: Iterable[str], account: Account) -> None:
    """Take the policies from buckets that are left: CloudFormation makes them anew, and fails where there is one."""
    s3 = account.client("s3")
    for bucket in buckets:
        try:
            s3.delete_bucket_policy(Bucket=bucket)
        except ClientError as error:
            if code_of(error) not in ("NoSuchBucketPolicy", "NoSuchBucket"):
                raise

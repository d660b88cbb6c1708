"""Rules of what keeps data: encrypted, closed, kept, ended when it is time. Pure."""

from collections.abc import Iterator

from infra.deployment.changes import STATEFUL
from infra.policies.template import Fault, Resource, Stacks, at, resources

_CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def tables(stacks: Stacks) -> Iterator[Fault]:
    """Tables are billed by request, end items by `ttl`, can be recovered, and are encrypted."""
    wanted = {
        "table-on-demand": ("BillingMode", "PAY_PER_REQUEST"),
        "table-ttl": ("TimeToLiveSpecification", {"AttributeName": "ttl", "Enabled": True}),
        "table-recovery": ("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", True),
        "table-encrypted": ("SSESpecification.SSEEnabled", True),
    }
    for one in resources(stacks, "AWS::DynamoDB::Table"):
        for rule, (path, value) in wanted.items():
            if at(one.properties, path) != value:
                yield Fault(rule, one.where, f"{path} is {at(one.properties, path)!r}, expected {value!r}")


def buckets(stacks: Stacks) -> Iterator[Fault]:
    """Buckets are encrypted, closed to the public, and end what nobody finishes."""
    for one in resources(stacks, "AWS::S3::Bucket"):
        rules = at(one.properties, "BucketEncryption.ServerSideEncryptionConfiguration") or [{}]
        if at(rules[0], "ServerSideEncryptionByDefault.SSEAlgorithm") not in ("AES256", "aws:kms"):
            yield Fault("bucket-encrypted", one.where, "no encryption by default")
        closed = one.properties.get("PublicAccessBlockConfiguration", {})
        for name in _CLOSED:
            if closed.get(name) is not True:
                yield Fault("bucket-closed", one.where, f"{name} is not true")
        rules = at(one.properties, "LifecycleConfiguration.Rules") or []
        if not any(at(rule, "AbortIncompleteMultipartUpload.DaysAfterInitiation") for rule in rules):
            yield Fault("bucket-uploads", one.where, "uploads that nobody finishes stay for ever")


def bucket_transport(stacks: Stacks) -> Iterator[Fault]:
    """Every bucket's policy refuses what comes without TLS, for the bucket and for its objects."""
    for one in resources(stacks, "AWS::S3::Bucket"):
        arn = [{"Fn::GetAtt": [one.name, "Arn"]}, {"Fn::Sub": f"${{{one.name}.Arn}}/*"}]
        if not any(
            _tls_only(policy, arn)
            for policy in resources({one.file: stacks[one.file]}, "AWS::S3::BucketPolicy")
            if policy.properties.get("Bucket") == {"Ref": one.name}
        ):
            yield Fault("bucket-tls", one.where, "no policy refuses requests without TLS")


def _tls_only(policy: Resource, arn: list[object]) -> bool:
    return any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") == "*"
        and statement.get("Action") == "s3:*"
        and statement.get("Resource") == arn
        and at(statement, "Condition.Bool") == {"aws:SecureTransport": "false"}
        for statement in policy.properties["PolicyDocument"]["Statement"]
    )


def results(stacks: Stacks) -> Iterator[Fault]:
    """An answer's object outlives the cache's item that names it."""
    days = at(stacks["storage"], "Mappings.Results") or {}
    bucket = stacks["storage"]["Resources"]["ResultsBucket"]["Properties"]
    rules = at(bucket, "LifecycleConfiguration.Rules") or []
    wanted = {"Fn::FindInMap": ["Results", {"Ref": "ResultDays"}, "ObjectDays"]}
    if not any(rule.get("ExpirationInDays") == wanted and rule["Status"] == "Enabled" for rule in rules):
        yield Fault("results-expire", "storage/ResultsBucket", "answers do not expire with the cache's items")
    for name, one in days.items():
        if one["ObjectDays"] <= int(name):
            yield Fault("results-expire", "storage/ResultsBucket", f"after {name} days objects are gone first")


def queues(stacks: Stacks) -> Iterator[Fault]:
    """Queues are encrypted; each gives up into another one, unless it is what others give up into."""
    found = list(resources(stacks, "AWS::SQS::Queue"))
    last = {str(at(one.properties, "RedrivePolicy.deadLetterTargetArn")) for one in found}
    for one in found:
        if one.properties.get("SqsManagedSseEnabled") is not True:
            yield Fault("queue-encrypted", one.where, "not encrypted")
        is_last = str({"Fn::GetAtt": [one.name, "Arn"]}) in last
        if not is_last and not at(one.properties, "RedrivePolicy.maxReceiveCount"):
            yield Fault("queue-dead-letter", one.where, "nowhere to give up into")
    for one in resources(stacks, "AWS::Scheduler::Schedule"):
        if at(one.properties, "Target.DeadLetterConfig.Arn") is None:
            yield Fault("schedule-dead-letter", one.where, "nowhere to give up into")
    for one in resources(stacks, "AWS::Events::Rule"):
        for target in one.properties["Targets"]:
            if "sqs" in str(target["Arn"]) and at(target, "DeadLetterConfig.Arn") is None:
                yield Fault("rule-dead-letter", one.where, "nowhere to give up into")


def topics(stacks: Stacks) -> Iterator[Fault]:
    """Topics are encrypted, with a key of ours: Amazon's own one would keep alarms out."""
    for one in resources(stacks, "AWS::SNS::Topic"):
        if not isinstance(one.properties.get("KmsMasterKeyId"), dict):
            yield Fault("topic-encrypted", one.where, "no key of ours")


def stateful(stacks: Stacks) -> Iterator[Fault]:
    """What holds data stays when its stack goes, or when it is replaced."""
    for one in resources(stacks, *STATEFUL):
        kept = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
        for policy, words in kept.items():
            if one.whole.get(policy) not in words:
                yield Fault("stateful-retained", one.where, f"{policy} is {one.whole.get(policy)!r}")


def work_groups(stacks: Stacks) -> Iterator[Fault]:
    """Work groups enforce where results go, each elsewhere, and cut queries off."""
    places: set[str] = set()
    for one in resources(stacks, "AWS::Athena::WorkGroup"):
        settings = one.properties.get("WorkGroupConfiguration", {})
        if settings.get("EnforceWorkGroupConfiguration") is not True:
            yield Fault("work-group-enforced", one.where, "a client may send results elsewhere")
        if not settings.get("BytesScannedCutoffPerQuery"):
            yield Fault("work-group-cut-off", one.where, "a query may scan everything")
        place = str(at(settings, "ResultConfiguration.OutputLocation"))
        if place in places or place == "None":
            yield Fault("work-group-apart", one.where, f"results lie at {place}, as another group's do")
        places.add(place)


RULES = (tables, buckets, bucket_transport, results, queues, topics, stateful, work_groups)

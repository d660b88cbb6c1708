"""The rules over the templates: they hold, and each one sees its subject broken, wherever that subject stands."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from api.app import app
from api.explained import explanation
from api.schemas import components
from infra.deployment.changes import STATEFUL
from infra.gateway import TEMPLATE, digest
from infra.policies.__main__ import EXCEPTIONS, faults, judged, linted, read_excuses, read_stacks
from infra.policies.template import Fault, resources

ROOT = Path(__file__).parents[2]

STACKS = read_stacks()
GONE = object()
Mutation = Callable[[dict[str, Any]], None]

# Rule, kind of resource (each one of them is broken in turn), path within its properties, what stands there instead.
BROKEN: tuple[tuple[str, str, str, object], ...] = (
    ("table-on-demand", "AWS::DynamoDB::Table", "BillingMode", "PROVISIONED"),
    ("table-ttl", "AWS::DynamoDB::Table", "TimeToLiveSpecification.Enabled", False),
    ("table-ttl", "AWS::DynamoDB::Table", "TimeToLiveSpecification", GONE),
    ("table-ttl", "AWS::DynamoDB::Table", "TimeToLiveSpecification.AttributeName", "expires_at"),
    ("table-recovery", "AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", GONE),
    ("table-encrypted", "AWS::DynamoDB::Table", "SSESpecification.SSEEnabled", False),
    ("bucket-encrypted", "AWS::S3::Bucket", "BucketEncryption", GONE),
    ("bucket-closed", "AWS::S3::Bucket", "PublicAccessBlockConfiguration", GONE),
    ("bucket-closed", "AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicPolicy", False),
    ("bucket-closed", "AWS::S3::Bucket", "PublicAccessBlockConfiguration.RestrictPublicBuckets", GONE),
    ("bucket-uploads", "AWS::S3::Bucket", "LifecycleConfiguration", GONE),
    ("bucket-tls", "AWS::S3::BucketPolicy", "PolicyDocument.Statement.0.Condition", GONE),
    ("bucket-tls", "AWS::S3::BucketPolicy", "PolicyDocument.Statement.0.Effect", "Allow"),
    ("bucket-tls", "AWS::S3::BucketPolicy", "PolicyDocument.Statement.0.Resource.1", GONE),
    ("queue-encrypted", "AWS::SQS::Queue", "SqsManagedSseEnabled", False),
    ("schedule-dead-letter", "AWS::Scheduler::Schedule", "Target.DeadLetterConfig", GONE),
    ("topic-encrypted", "AWS::SNS::Topic", "KmsMasterKeyId", "alias/aws/sns"),
    ("work-group-enforced", "AWS::Athena::WorkGroup", "WorkGroupConfiguration.EnforceWorkGroupConfiguration", False),
    ("work-group-cut-off", "AWS::Athena::WorkGroup", "WorkGroupConfiguration.BytesScannedCutoffPerQuery", GONE),
    ("work-group-apart", "AWS::Athena::WorkGroup", "WorkGroupConfiguration.ResultConfiguration.OutputLocation", GONE),
    ("permission-alias", "AWS::Lambda::Permission", "FunctionName", {"Ref": "FunctionArn"}),
    ("shift-taken-back", "AWS::CodeDeploy::DeploymentGroup", "AlarmConfiguration.Alarms", []),
    ("shift-taken-back", "AWS::CodeDeploy::DeploymentGroup", "AutoRollbackConfiguration", GONE),
    ("stage-throttled", "AWS::ApiGateway::Stage", "MethodSettings.0.ThrottlingRateLimit", GONE),
    ("stage-discreet", "AWS::ApiGateway::Stage", "MethodSettings.0.DataTraceEnabled", True),
    ("stage-logged", "AWS::ApiGateway::Stage", "AccessLogSetting", GONE),
    ("stage-planned", "AWS::ApiGateway::UsagePlan", "ApiStages", []),
    ("client-flow", "AWS::Cognito::UserPoolClient", "AllowedOAuthFlows", ["implicit"]),
    ("pool-second-factor", "AWS::Cognito::UserPool", "EnabledMfas", GONE),
    ("alarm-action", "AWS::CloudWatch::Alarm", "AlarmActions", GONE),
    ("alarm-action", "AWS::CloudWatch::Alarm", "AlarmActions", []),
    ("alarm-action", "AWS::CloudWatch::Alarm", "ActionsEnabled", False),
    ("alarm-action", "AWS::CloudWatch::CompositeAlarm", "AlarmActions", GONE),
    ("alarm-described", "AWS::CloudWatch::Alarm", "AlarmDescription", GONE),
    ("alarm-silence", "AWS::CloudWatch::Alarm", "TreatMissingData", GONE),
    ("log-retention", "AWS::Logs::LogGroup", "RetentionInDays", GONE),
    ("function-traced", "AWS::Lambda::Function", "TracingConfig", GONE),
    ("own-account", "AWS::SNS::TopicPolicy", "PolicyDocument.Statement.0.Condition", GONE),
    ("no-open-door", "AWS::SNS::TopicPolicy", "PolicyDocument.Statement.0.Principal", "*"),
    ("no-wildcard-action", "AWS::IAM::Role", "Policies.0.PolicyDocument.Statement.0.Action", "s3:*"),
    ("no-wildcard-resource", "AWS::IAM::Role", "Policies.0.PolicyDocument.Statement.0.Resource", "*"),
    ("no-wildcard-resource", "AWS::IAM::Role", "Policies.0.PolicyDocument.Statement.0.Resource", ["*"]),
    ("no-wildcard-action", "AWS::IAM::ManagedPolicy", "PolicyDocument.Statement.0.Action", "*"),
    ("no-wildcard-resource", "AWS::IAM::ManagedPolicy", "PolicyDocument.Statement.0.Resource", "*"),
    ("named-by-stage", "AWS::IAM::Role", "RoleName", "lakegate-api"),
    ("named-by-stage", "AWS::S3::Bucket", "BucketName", "lakegate"),
    ("named-by-stage", "AWS::Athena::WorkGroup", "Name", "partners"),
)


def put(value: Any, path: str, replacement: object) -> None:
    """Puts something else at a path, or takes away what is there."""
    *before, last = path.split(".")
    for key in before:
        value = value[int(key)] if isinstance(value, list) else value.setdefault(key, {})
    place: Any = int(last) if isinstance(value, list) else last
    if replacement is GONE:
        del value[place]
    else:
        value[place] = replacement


def properties_broken() -> Iterator[Any]:
    for rule, kind, path, replacement in BROKEN:
        for one in resources(STACKS, kind):
            if path.startswith("Policies.") and "Policies" not in one.properties:
                continue  # it is lent policies that stand elsewhere
            shown = "gone" if replacement is GONE else json.dumps(replacement)
            yield pytest.param(rule, one.file, one.name, path, replacement, id=f"{rule}-{one.where}-{path}-{shown}")


@pytest.mark.parametrize(("rule", "file", "name", "path", "replacement"), list(properties_broken()))
def test_a_broken_property_is_seen(rule: str, file: str, name: str, path: str, replacement: object) -> None:
    broken: dict[str, Any] = deepcopy(STACKS)
    put(broken[file]["Resources"][name].setdefault("Properties", {}), path, replacement)
    assert rule in new_rules(broken)


def new_rules(broken: dict[str, Any]) -> set[str]:
    """The rules that find more than they found before."""
    before = set(faults(STACKS))
    return {fault.rule for fault in faults(broken) if fault not in before}


def resource(broken: dict[str, Any], where: str) -> Any:
    file, name = where.split("/")
    return broken[file]["Resources"][name]


def api(broken: dict[str, Any]) -> Any:
    return resource(broken, "gateway/Api")["Properties"]["Body"]


def redirect_to_the_function(broken: dict[str, Any]) -> None:
    for methods in api(broken)["paths"].values():
        for operation in methods.values():
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            uri["Fn::Sub"] = uri["Fn::Sub"].replace("${AliasArn}", "${FunctionArn}")


OTHERWISE: dict[str, tuple[str, Mutation]] = {
    "every integration at the function": ("integration-alias", redirect_to_the_function),
    "the function handed over as the alias": (
        "alias-given",
        lambda all: put(all["api"], "Outputs.AliasArn.Value", {"Ref": "Function"}),
    ),
    "another output handed over": (
        "alias-given",
        lambda all: put(
            resource(all, "root/Gateway"),
            "Properties.Parameters.AliasArn",
            {"Fn::GetAtt": ["Api", "Outputs.Function"]},
        ),
    ),
    "no check before traffic": (
        "shift-checked",
        lambda all: put(
            resource(all, "api/Alias"),
            "UpdatePolicy.CodeDeployLambdaAliasUpdate.Fn::If.1.BeforeAllowTrafficHook",
            GONE,
        ),
    ),
    "no check after traffic": (
        "shift-checked",
        lambda all: put(
            resource(all, "api/Alias"), "UpdatePolicy.CodeDeployLambdaAliasUpdate.Fn::If.1.AfterAllowTrafficHook", GONE
        ),
    ),
    "an authorizer that is none of Cognito": (
        "route-scope",
        lambda all: put(
            api(all), "components.securitySchemes.partners.x-amazon-apigateway-authtype", "custom"
        ),
    ),
    "another pool": (
        "route-scope",
        lambda all: put(
            api(all),
            "components.securitySchemes.partners.x-amazon-apigateway-authorizer.providerARNs",
            [{"Ref": "OtherPoolArn"}],
        ),
    ),
    "a question that nobody checks": (
        "route-model",
        lambda all: api(all)["paths"]["/v1/queries"]["post"].pop("x-amazon-apigateway-request-validator") and None,
    ),
    "a statement of any length": (
        "route-model",
        lambda all: put(api(all), "components.schemas.Question.properties.sql.maxLength", GONE),
    ),
    "a browser with a secret": (
        "client-secret",
        lambda all: put(resource(all, "identity/BrowserClient"), "Properties.GenerateSecret", True),
    ),
    "a machine without a secret": (
        "client-secret",
        lambda all: put(resource(all, "identity/ProbeClient"), "Properties.GenerateSecret", False),
    ),
    "answers that stay for ever": (
        "results-expire",
        lambda all: put(resource(all, "storage/ResultsBucket"), "Properties.LifecycleConfiguration.Rules.1", GONE),
    ),
    "answers that go before the cache forgets them": (
        "results-expire",
        lambda all: put(all["storage"], "Mappings.Results.7.ObjectDays", 7),
    ),
    "a queue without dead letters": (
        "queue-dead-letter",
        lambda all: put(resource(all, "etl/LandingQueue"), "Properties.RedrivePolicy", GONE),
    ),
    "dead letters that nothing leads to": (
        "queue-dead-letter",
        lambda all: put(
            resource(all, "etl/LandingQueue"), "Properties.RedrivePolicy.deadLetterTargetArn", {"Ref": "Elsewhere"}
        ),
    ),
    "a rule without dead letters": (
        "rule-dead-letter",
        lambda all: put(resource(all, "etl/LandingRule"), "Properties.Targets.0.DeadLetterConfig", GONE),
    ),
    "two groups' results in one place": (
        "work-group-apart",
        lambda all: put(
            resource(all, "catalog/AnalystsWorkGroup"),
            "Properties.WorkGroupConfiguration.ResultConfiguration.OutputLocation",
            resource(all, "catalog/PartnersWorkGroup")["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"][
                "OutputLocation"
            ],
        ),
    ),
    "two functions with one role": (
        "role-of-its-own",
        lambda all: put(
            resource(all, "etl/Reconciler"), "Properties.Role", resource(all, "etl/Dispatcher")["Properties"]["Role"]
        ),
    ),
    "an unbounded right on the state": (
        "state-by-key",
        lambda all: put(resource(all, "api/Role"), "Properties.Policies.0.PolicyDocument.Statement.0.Condition", GONE),
    ),
    "a function whose log never ends": (
        "log-group",
        lambda all: all["api"]["Resources"].pop("Log") and None,
    ),
    "a parameter that nobody uses": (
        "parameter-used",
        lambda all: put(all["storage"], "Parameters.Colour", {"Type": "String"}),
    ),
    "a condition that nobody uses": (
        "condition-used",
        lambda all: put(all["api"], "Conditions.Never", {"Fn::Equals": ["a", "b"]}),
    ),
    "a parameter that nobody gives": (
        "stack-wired",
        lambda all: put(resource(all, "root/Api"), "Properties.Parameters.Release", GONE),
    ),
    "a parameter that nobody asked for": (
        "stack-wired",
        lambda all: put(resource(all, "root/Api"), "Properties.Parameters.Colour", "blue"),
    ),
    "an output that is not there": (
        "stack-wired",
        lambda all: put(all["storage"], "Outputs.LandingBucket", GONE),
    ),
    "an export without the stage": (
        "named-by-stage",
        lambda all: put(all["storage"], "Outputs.LandingBucket.Export.Name", "LandingBucket"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "mutation"), OTHERWISE.values(), ids=list(OTHERWISE))
def test_what_is_broken_otherwise_is_seen(rule: str, mutation: Mutation) -> None:
    broken: dict[str, Any] = deepcopy(STACKS)
    mutation(broken)
    assert rule in new_rules(broken)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        pytest.param(path, method, id=f"{method} {path}")
        for path, methods in api(STACKS)["paths"].items()
        for method, operation in methods.items()
        if "security" in operation
    ],
)
def test_a_route_without_its_scope_is_seen(path: str, method: str) -> None:
    wrong: tuple[Any, ...] = (None, [], [{}], [{"partners": []}], [{"nobody": ["lakegate/query"]}])
    for instead in wrong:
        broken: dict[str, Any] = deepcopy(STACKS)
        api(broken)["paths"][path][method]["security"] = instead
        assert new_rules(broken) == {"route-scope"}


def test_every_route_that_is_not_public_was_broken_there() -> None:
    paths = api(STACKS)["paths"]
    open_to_all = {path for path, methods in paths.items() if not any("security" in one for one in methods.values())}
    assert open_to_all == app.public


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
@pytest.mark.parametrize("where", [one.where for one in resources(STACKS, *sorted(STATEFUL))])
def test_what_holds_data_and_would_go_is_seen(where: str, policy: str) -> None:
    for instead in ("Delete", GONE):
        broken: dict[str, Any] = deepcopy(STACKS)
        put(resource(broken, where), policy, instead)
        assert new_rules(broken) == {"stateful-retained"}


def has_tags(properties: Any) -> Iterator[str]:
    return (key for key in properties if key.endswith("Tags"))


@pytest.mark.parametrize("where", [one.where for one in resources(STACKS) if any(has_tags(one.properties))])
def test_a_resource_without_tags_is_seen(where: str) -> None:
    broken: dict[str, Any] = deepcopy(STACKS)
    properties = resource(broken, where)["Properties"]
    del properties[next(has_tags(properties))]
    assert new_rules(broken) == {"tagged"}


def test_every_rule_has_been_seen_to_bite() -> None:
    """No rule's name stands in the code that no test above has made it say."""
    folder = Path(EXCEPTIONS).parent
    said = set(re.findall(r'Fault\(\s*"([a-z-]+)"', "".join(path.read_text() for path in folder.glob("*.py"))))
    said |= set(re.findall(r'^        "(table-[a-z-]+)":', (folder / "data.py").read_text(), re.MULTILINE))
    broken = {one[0] for one in BROKEN} | {rule for rule, _ in OTHERWISE.values()}
    broken |= {"route-scope", "stateful-retained", "tagged", "exception-used"}
    assert said == broken


def test_what_is_deployed_breaks_no_rule_without_a_written_reason() -> None:
    excuses = read_excuses(EXCEPTIONS.read_text(encoding="utf-8"))
    assert list(judged(faults(STACKS), excuses, linter=False)) == []


def test_an_exception_that_excuses_nothing_is_a_fault() -> None:
    excuses = read_excuses(
        '[[exception]]\nrule = "tagged"\nwhere = ["a/B"]\nreason = "It was so a long time ago."\n'
        '[[exception]]\nrule = "CKV_AWS_1"\nwhere = ["a/B"]\nreason = "It was so a long time ago."\n'
    )
    assert [fault.message.split()[0] for fault in judged([], excuses, linter=False)] == ["tagged"]
    assert [fault.message.split()[0] for fault in judged([], excuses, linter=True)] == ["CKV_AWS_1", "tagged"]
    found = Fault("tagged", "a/B", "it lacks")
    assert list(judged([found], excuses, linter=False)) == []


def test_an_exception_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="a reason is a sentence"):
        read_excuses('[[exception]]\nrule = "tagged"\nwhere = ["a/B"]\nreason = "legacy"\n')


def test_the_linter_never_learns_where_the_project_lies(tmp_path: Path) -> None:
    """It takes a path of forty letters and slashes for a secret: what it finds would hang on the folder of a clone."""
    program, folder = tmp_path / "linter", tmp_path / "templates"
    folder.mkdir()
    summary = '{"parsing_errors": 0, "passed": 1}'
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "told = {'check_id': os.getcwd(), 'check_name': ' '.join(sys.argv[1:])}\n"
        "told |= {'file_path': 'a.yaml', 'resource': 'b.C'}\n"
        f"print(json.dumps({{'results': {{'failed_checks': [told]}}, 'summary': json.loads('{summary}')}}))\n"
    )
    program.chmod(0o755)
    (found,) = linted(program, folder)
    assert (found.rule, found.where) == (str(folder), "a/C")
    assert "--directory . " in found.message
    assert str(tmp_path) not in found.message


@pytest.fixture(scope="module")
def made() -> tuple[str, dict[str, Any]]:
    """The template as it would be written now, and its API: in an interpreter of its own, as another test may have
    imported the routes that the embedded home alone has."""
    code = (
        "import json; from infra.gateway import TEMPLATE, body, written;"
        "print(json.dumps([written(TEMPLATE.read_text(encoding='utf-8')), body()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    text, content = json.loads(done.stdout)
    return text, content


def test_the_gateway_is_made_of_the_routes_as_they_are(made: tuple[str, dict[str, Any]]) -> None:
    assert made[0] == TEMPLATE.read_text(encoding="utf-8"), "write it anew: make docs"


def test_another_api_is_another_deployment(made: tuple[str, dict[str, Any]]) -> None:
    text, content = TEMPLATE.read_text(encoding="utf-8"), made[1]
    assert set(re.findall(r"Deployment[0-9a-f]{10}", text)) == {f"Deployment{digest(content)}"}
    del content["paths"]["/v1/usage"]
    assert f"Deployment{digest(content)}" not in text


def test_what_the_gateway_refuses_is_a_problem_like_the_functions_own(made: tuple[str, dict[str, Any]]) -> None:
    wanted = set(components()["Problem"]["required"])
    pages = "https://$context.apiId.execute-api.${AWS::Region}.${AWS::URLSuffix}/$context.stage/problems/"
    refusals = made[1]["x-amazon-apigateway-gateway-responses"]
    for told in refusals.values():
        problem = json.loads(told["responseTemplates"]["application/json"]["Fn::Sub"])
        assert set(problem) == wanted
        assert problem["type"] == pages + problem["code"]
        assert explanation(problem["code"]).status == 200
        assert problem["status"] == told["statusCode"]
        retried = "gatewayresponse.header.Retry-After" in told["responseParameters"]
        assert retried == (told["statusCode"] in (429, 503))
        assert told["statusCode"] < 500 or told["statusCode"] == 503
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "THROTTLED"} <= set(refusals)

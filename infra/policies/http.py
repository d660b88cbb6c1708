"""Rules of what partners meet: the alias behind every route, a scope on every route of theirs, bounds. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.policies.template import Fault, Stacks, at, resources

_ALIAS = "AWS::Lambda::Alias"
_API = "gateway/Api"


def operations(stacks: Stacks) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and operation of every route."""
    for path, methods in (at(stacks["gateway"], "Resources.Api.Properties.Body.paths") or {}).items():
        for method, operation in methods.items():
            yield path, method, operation


def alias(stacks: Stacks) -> Iterator[Fault]:
    """Routes and the gateway's permission name the alias: past it no traffic could be shifted."""
    for path, method, operation in operations(stacks):
        uri = str(at(operation, "x-amazon-apigateway-integration.uri"))
        if "functions/${AliasArn}/invocations" not in uri:
            yield Fault("integration-alias", _API, f"{method} {path} goes to {uri}")
    for one in resources(stacks, "AWS::Lambda::Permission"):
        if one.properties.get("FunctionName") != {"Ref": "AliasArn"}:
            yield Fault("permission-alias", one.where, f"it is for {one.properties.get('FunctionName')}")
    given = at(stacks["root"], "Resources.Gateway.Properties.Parameters.AliasArn")
    output = at(stacks["api"], "Outputs.AliasArn.Value.Ref")
    kind = at(stacks["api"], f"Resources.{output}.Type")
    if given != {"Fn::GetAtt": ["Api", "Outputs.AliasArn"]} or kind != _ALIAS:
        yield Fault("alias-given", "root/Gateway", f"AliasArn is {given}, a {kind}")


def shifted(stacks: Stacks) -> Iterator[Fault]:
    """The alias is moved by CodeDeploy, with checks, and alarms that take it back."""
    for one in resources(stacks, _ALIAS):
        shift = at(one.whole, "UpdatePolicy.CodeDeployLambdaAliasUpdate.Fn::If") or [None, {}]
        for hook in ("BeforeAllowTrafficHook", "AfterAllowTrafficHook"):
            if not shift[1].get(hook):
                yield Fault("shift-checked", one.where, f"there is no {hook}")
    for one in resources(stacks, "AWS::CodeDeploy::DeploymentGroup"):
        alarms = at(one.properties, "AlarmConfiguration.Alarms") or []
        events = at(one.properties, "AutoRollbackConfiguration.Events") or []
        if not (alarms and at(one.properties, "AlarmConfiguration.Enabled")):
            yield Fault("shift-taken-back", one.where, "no alarm stops a shift")
        if not {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"} <= set(events):
            yield Fault("shift-taken-back", one.where, "a shift that fails is not taken back")


def scopes(stacks: Stacks) -> Iterator[Fault]:
    """Every route wants a token with a scope, but those that the app itself calls public."""
    body = at(stacks["gateway"], "Resources.Api.Properties.Body") or {}
    schemes = {
        name
        for name, one in (at(body, "components.securitySchemes") or {}).items()
        if one.get("x-amazon-apigateway-authtype") == "cognito_user_pools"
        and at(one, "x-amazon-apigateway-authorizer.providerARNs") == [{"Ref": "UserPoolArn"}]
    }
    for path, method, operation in operations(stacks):
        if method == "options" or not path.startswith("/v1/"):
            continue
        security = operation.get("security") or [{}]
        if not all(set(one) & schemes and all(one.values()) for one in security):
            yield Fault("route-scope", _API, f"{method} {path} asks for no scope")


def bodies(stacks: Stacks) -> Iterator[Fault]:
    """A route that takes a question checks it against a model."""
    body = at(stacks["gateway"], "Resources.Api.Properties.Body") or {}
    validators = body.get("x-amazon-apigateway-request-validators", {})
    for path, method, operation in operations(stacks):
        if (path, method) != ("/v1/queries", "post"):
            continue
        used = validators.get(operation.get("x-amazon-apigateway-request-validator"), {})
        schema = at(operation, "requestBody.content.application/json.schema.$ref") or ""
        model = at(body, f"components.schemas.{schema.rpartition('/')[2]}")
        bounded = at(model, "properties.sql.maxLength")
        if used.get("validateRequestBody") is not True or not bounded:
            yield Fault("route-model", _API, f"{method} {path} takes any body")


def stages(stacks: Stacks) -> Iterator[Fault]:
    """Stages are throttled and logged, without the callers' own data; every one has a plan."""
    for one in resources(stacks, "AWS::ApiGateway::Stage"):
        settings = one.properties.get("MethodSettings") or [{}]
        whole = [part for part in settings if part.get("ResourcePath") == "/*" and part.get("HttpMethod") == "*"]
        if not any(part.get("ThrottlingRateLimit") and part.get("ThrottlingBurstLimit") for part in whole):
            yield Fault("stage-throttled", one.where, "any number of requests is taken")
        if any(part.get("DataTraceEnabled") for part in settings):
            yield Fault("stage-discreet", one.where, "bodies are written to the log")
        if not at(one.properties, "AccessLogSetting.DestinationArn"):
            yield Fault("stage-logged", one.where, "nobody knows who asked")
        plans = list(resources(stacks, "AWS::ApiGateway::UsagePlan"))
        if not any(
            {"Ref": one.name} in [stage.get("Stage") for stage in plan.properties["ApiStages"]] for plan in plans
        ):
            yield Fault("stage-planned", one.where, "no usage plan")


def clients(stacks: Stacks) -> Iterator[Fault]:
    """Browsers get a code and have no secret; nobody is handed a token in an address; a second factor can be had."""
    for one in resources(stacks, "AWS::Cognito::UserPoolClient"):
        flows = one.properties.get("AllowedOAuthFlows", [])
        if "implicit" in flows:
            yield Fault("client-flow", one.where, "tokens in addresses")
        if "code" in flows and one.properties.get("GenerateSecret") is not False:
            yield Fault("client-secret", one.where, "a secret in a browser is none")
        if "client_credentials" in flows and one.properties.get("GenerateSecret") is not True:
            yield Fault("client-secret", one.where, "a machine without a secret")
    for one in resources(stacks, "AWS::Cognito::UserPool"):
        if not one.properties.get("EnabledMfas") or not one.properties.get("MfaConfiguration"):
            yield Fault("pool-second-factor", one.where, "no second factor can be had")


RULES = (alias, shifted, scopes, bodies, stages, clients)

"""Settings on AWS: one record, from parameters and the environment, complete or refused."""

import pytest

from athena.errors import Failed, Refused
from athena.settings_aws import aws_settings, read_aws_settings, stage_settings
from tests.cloud import Cloud, Faults, denied

GIVEN = {
    "stage": "test",
    "results": "s3://results/here/",
    "state_table": "state",
    "cache_table": "cache",
    "workgroup": "group",
    "secret": "ab" * 32,
    "salt": "salt",
}


def test_what_is_not_given_has_a_default() -> None:
    settings = aws_settings(GIVEN)
    assert (settings.name, settings.page_rows, settings.region) == ("lake", 1000, "")
    assert settings.shared().page_rows == 1000


def test_numbers_are_read_as_numbers() -> None:
    settings = aws_settings({**GIVEN, "page_rows": "50", "result_days": "0.5"})
    assert (settings.page_rows, settings.result_days) == (50, 0.5)


@pytest.mark.parametrize(
    ("change", "message", "remedy"),
    [
        ({"state_tabel": "x"}, "no AWS setting 'state_tabel'", "'state_table'"),
        ({"workgroup": ""}, "missing: workgroup", "LAKEGATE_WORKGROUP"),
        ({"page_rows": "many"}, "page_rows is 'many'", "1000"),
        ({"secret": "short"}, "not written in hex", "openssl rand"),
        ({"secret": "abcd"}, "too short", "openssl rand"),
        ({"results": "s3://results/here"}, "results is", "last slash"),
        ({"scan_workgroups": "1GB=small"}, "holds '1GB=small'", "<bytes>=<work group>"),
        ({"page_rows": "-1"}, "page_rows is '-1', expected at least 1", "1000"),
        ({"query_timeout_seconds": "nan"}, "is 'nan', expected at least 0.001", "900"),
    ],
)
def test_what_is_wrong_is_refused_with_its_remedy(change: dict[str, str], message: str, remedy: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        aws_settings({**GIVEN, **change})
    assert remedy in caught.value.remedy
    assert caught.value.code == "settings-invalid"


def test_secrets_are_not_shown() -> None:
    shown = repr(aws_settings(GIVEN))
    assert "abab" not in shown
    assert "salt" not in shown


def test_parameters_and_the_environment_together_make_the_settings(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    for name, value in GIVEN.items():
        if name not in ("stage", "workgroup"):
            kind = "SecureString" if name in ("secret", "salt") else "String"
            ssm.put_parameter(Name=f"/lakegate/stage-1/{name}", Value=value, Type=kind)
    environment = {"LAKEGATE_WORKGROUP": "group", "LAKEGATE_STATE_TABLE": "mine", "LAKEGATE_HOME": "elsewhere"}
    settings = read_aws_settings("stage-1", environment, ssm)
    assert settings == aws_settings({**GIVEN, "stage": "stage-1", "state_table": "mine"})


def test_the_environment_alone_is_enough() -> None:
    environment = {f"LAKEGATE_{name.upper()}": value for name, value in GIVEN.items()}
    assert read_aws_settings("test", environment, None) == aws_settings(GIVEN)


def test_parameters_that_cannot_be_read_have_failed(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    Faults.on(ssm, "GetParametersByPath", denied)
    with pytest.raises(Failed, match="AccessDeniedException") as caught:
        read_aws_settings("stage-2", {}, ssm)
    assert caught.value.code == "settings-unavailable"


def test_work_groups_with_a_cutoff_are_read_by_their_bytes() -> None:
    settings = aws_settings({**GIVEN, "scan_workgroups": "10000000000=ten 1000000000=one"})
    assert settings.cutoffs == ((1_000_000_000, "one"), (10_000_000_000, "ten"))


def test_a_whole_environment_needs_no_call() -> None:
    environment = {f"LAKEGATE_{name.upper()}": value for name, value in GIVEN.items()}

    def never() -> None:
        raise AssertionError("SSM was wanted")

    assert stage_settings(environment, never).workgroup == "group"
    with pytest.raises(AssertionError, match="SSM"):
        stage_settings({name: environment[name] for name in environment if name != "LAKEGATE_SALT"}, never)
    with pytest.raises(Refused, match="No stage"):
        stage_settings({}, never)

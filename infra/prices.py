"""Public prices, the inputs of both cost models: look them up for your region and month."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars, as listed for us-east-1 (on demand, without free tiers, before any discount)."""

    athena_per_tb: float = 5.00
    api_gateway_per_million: float = 3.50
    lambda_per_million: float = 0.20
    lambda_per_gb_second: float = 0.0000166667
    dynamodb_per_million_reads: float = 0.125
    dynamodb_per_million_writes: float = 0.625
    s3_per_million_reads: float = 0.40
    s3_per_million_writes: float = 5.00
    logs_per_gb: float = 0.50
    glue_per_dpu_hour: float = 0.44
    events_per_million: float = 1.00
    sqs_per_million: float = 0.40


LISTED = Prices()

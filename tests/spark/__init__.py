"""The fan-out over Spark, in local mode; needs a Java."""

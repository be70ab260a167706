"""A small Spark application, for spark-submit: reads customers and addresses, writes what the arguments name.

It uses only Spark's API, as a user's script would.
"""

import sys

from pyspark.sql import DataFrame, SparkSession

DATA = "abfss://data@contosolake.dfs.core.windows.net"
CURATED = "abfss://curated@contosolake.dfs.core.windows.net"


def master(spark: SparkSession) -> DataFrame:
    """Customers with their addresses: a join."""
    customer = spark.read.schema("id INT, first_name STRING, last_name STRING").json(f"{DATA}/raw/crm/customer")
    address = spark.read.schema("customer_id INT, city STRING, country STRING").json(f"{DATA}/raw/crm/address")
    customer.createOrReplaceTempView("customer")
    address.createOrReplaceTempView("address")
    return spark.sql(
        "SELECT c.id AS customer_id, concat(c.first_name, ' ', c.last_name) AS full_name, a.city,"
        " upper(a.country) AS country FROM customer c JOIN address a ON a.customer_id = c.id"
    )


def parquet(spark: SparkSession) -> None:
    """Write the join to a folder of Parquet files."""
    master(spark).write.mode("overwrite").parquet(f"{CURATED}/customer_master")


def delta(spark: SparkSession) -> None:
    """Write the join to a Delta folder."""
    master(spark).write.mode("overwrite").format("delta").save(f"{CURATED}/customer_master_delta")


def cities(spark: SparkSession) -> None:
    """Count the customers of a city, from what `parquet` wrote."""
    spark.read.parquet(f"{CURATED}/customer_master").createOrReplaceTempView("customer_master")
    counted = spark.sql("SELECT city, count(customer_id) AS customers FROM customer_master GROUP BY city")
    counted.write.mode("overwrite").parquet(f"{CURATED}/customers_by_city")


if __name__ == "__main__":
    session = SparkSession.builder.getOrCreate()
    for write in sys.argv[1:]:
        {"parquet": parquet, "delta": delta, "cities": cities}[write](session)
    session.stop()

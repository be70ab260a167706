"""A medallion for spark-submit: three notebooks that bring orders from a landing zone to a table of revenue.

It uses only Spark's API, as users' notebooks would. The arguments name the notebooks to run;
``name=value`` sets a property of the session that spark-submit does not take, such as those that Fabric sets.
"""

import sys

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

LAKE = "abfss://{}@contosolake.dfs.core.windows.net"
LANDING, BRONZE, SILVER = (LAKE.format(container) for container in ("landing", "bronze", "silver"))
GOLD = (
    "abfss://5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4@onelake.dfs.fabric.microsoft.com"
    "/71d0b8e4-2c56-4d9f-8e1a-f3a96c4b7d20/Tables"
)
ORDERS = (
    "order_id INT, customer_id INT, product_id INT, quantity INT, unit_price DOUBLE, discount DOUBLE, ordered_at STRING"
)


def write(frame: DataFrame, folder: str) -> None:
    frame.write.format("delta").mode("overwrite").save(folder)


def ingest(spark: SparkSession) -> None:
    """Files of the shop, and the table of products in the database of the ERP, to bronze."""
    orders = spark.read.schema(ORDERS).json(f"{LANDING}/shop/orders")
    write(orders.withColumn("order_date", F.to_date("ordered_at")), f"{BRONZE}/orders")
    customers = spark.read.schema("id INT, name STRING, country STRING").json(f"{LANDING}/crm/customers")
    write(customers.withColumnRenamed("id", "customer_id"), f"{BRONZE}/customers")
    write(products(spark).select("product_id", "title", "category", "unit_cost"), f"{BRONZE}/products")


def products(spark: SparkSession) -> DataFrame:
    """From Azure SQL if the session names its driver; else from files."""
    driver = spark.conf.get("spark.erp.driver", "")
    if not driver:
        schema = "product_id INT, title STRING, category STRING, unit_cost DOUBLE"
        return spark.read.schema(schema).json(f"{LANDING}/erp/products")
    url = "jdbc:sqlserver://contoso-sql.database.windows.net:1433;database=erp;encrypt=true"
    source = {"url": url, "driver": driver, "dbtable": "dbo.Products", "user": "reader", "password": "unused"}
    return spark.read.format("jdbc").options(**source).load()


def clean(spark: SparkSession) -> None:
    """Bronze to silver: the newest version of each order, merged customers, and priced order lines."""
    newest = Window.partitionBy("order_id").orderBy(F.col("ordered_at").desc())
    orders = spark.read.format("delta").load(f"{BRONZE}/orders").withColumn("version", F.row_number().over(newest))
    net = F.expr("unit_price * (1 - discount)")
    orders = orders.where("version = 1").withColumn("net_price", net).drop("version", "ordered_at", "discount")
    write(orders, f"{SILVER}/orders")
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS delta.`{SILVER}/customers` (customer_id INT, name STRING, country STRING)"
        " USING delta"
    )
    spark.sql(
        f"MERGE INTO delta.`{SILVER}/customers` AS t USING delta.`{BRONZE}/customers` AS s"
        " ON t.customer_id = s.customer_id"
        " WHEN MATCHED THEN UPDATE SET name = s.name, country = upper(s.country)"
        " WHEN NOT MATCHED THEN INSERT (customer_id, name, country) VALUES (s.customer_id, s.name, upper(s.country))"
    )
    lines = spark.sql(
        "SELECT o.order_id, o.customer_id, o.order_date, p.category, o.quantity * o.net_price AS revenue,"
        f" o.quantity * p.unit_cost AS cost FROM delta.`{SILVER}/orders` o"
        f" JOIN delta.`{BRONZE}/products` p ON o.product_id = p.product_id"
    )
    write(lines, f"{SILVER}/order_lines")


def gold(spark: SparkSession) -> None:
    """Silver to gold, in a Fabric notebook: sales of a day and country, and the revenue of a month."""
    write(
        spark.sql(
            "SELECT c.country, l.order_date, sum(l.revenue) AS revenue, sum(l.cost) AS cost"
            f" FROM delta.`{SILVER}/order_lines` l JOIN delta.`{SILVER}/customers` c ON l.customer_id = c.customer_id"
            " GROUP BY c.country, l.order_date"
        ),
        f"{GOLD}/daily_sales",
    )
    write(
        spark.sql(
            "SELECT country, date_format(order_date, 'yyyy-MM') AS month, round(sum(revenue), 2) AS revenue,"
            " round(sum(revenue) - sum(cost), 2) AS margin,"
            " CASE WHEN sum(revenue) >= 1000 THEN 'A' ELSE 'B' END AS class"
            f" FROM delta.`{GOLD}/daily_sales` GROUP BY country, date_format(order_date, 'yyyy-MM')"
        ),
        f"{GOLD}/revenue",
    )


if __name__ == "__main__":
    builder = SparkSession.builder
    for argument in sys.argv[1:]:
        if "=" in argument:
            builder = builder.config(*argument.split("=", 1))
    session = builder.getOrCreate()
    for argument in sys.argv[1:]:
        if "=" not in argument:
            {"ingest": ingest, "clean": clean, "gold": gold}[argument](session)
    session.stop()

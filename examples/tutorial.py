"""Column lineage by hand: two sources, one sink, the process between them, in one upload.

    customer ──┐
               ├──▶ azure_synapse_operation ──▶ customer_master
    address ───┘

Sparklin sends Purview the same kind of entities; it reads from Spark's events what is written out here.
How to run it is in README.md next to this file.
"""

import json
import os
import sys
from urllib.parse import urlsplit

from pyapacheatlas.auth import ServicePrincipalAuthentication
from pyapacheatlas.core import AtlasClient, AtlasEntity, AtlasException, AtlasProcess
from requests import RequestException

LAKE = "https://contosolake.dfs.core.windows.net"
TYPE = "azure_datalake_gen2_resource_set"


# 1. Where the catalogue is, and who we are.


def setting(name: str, meaning: str) -> str:
    """An environment variable that the example cannot do without."""
    value = os.environ.get(name, "").strip()  # noqa: TID251  an example stands alone
    if not value:
        sys.exit(f"{name} is not set. It is {meaning}.")
    return value


endpoint = setting("PURVIEW_ENDPOINT", "https://<account>.purview.azure.com, or the address of a local Data Map")
endpoint = endpoint.rstrip("/")
is_local = urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1")
credential = None  # A local Data Map asks for none.
if not is_local:
    # A service principal with the role Data Curator on the root collection, where new assets appear.
    credential = ServicePrincipalAuthentication(
        tenant_id=setting("AZURE_TENANT_ID", "the tenant of the service principal"),
        client_id=setting("AZURE_CLIENT_ID", "the application (client) id of the service principal"),
        client_secret=setting("AZURE_CLIENT_SECRET", "a client secret of the service principal"),
    )
client = AtlasClient(endpoint_url=f"{endpoint}/catalog/api/atlas/v2", authentication=credential, requests_timeout=60)


# 2. The datasets. Type and qualified name together say which asset is meant. If Purview has it, because a scan
#    found it or this ran before, it is that asset; else a new one is made. {SparkPartitions} stands for the part
#    files that Spark writes into a folder: that is how a scan names such a folder.
#    A negative guid is a placeholder: it lets the entities of one upload name each other before Purview has
#    given them guids of its own.

customer = AtlasEntity("customer", TYPE, f"{LAKE}/raw/customer/{{SparkPartitions}}", guid="-1")
address = AtlasEntity("address", TYPE, f"{LAKE}/raw/address/{{SparkPartitions}}", guid="-2")
customer_master = AtlasEntity("customer_master", TYPE, f"{LAKE}/curated/customer_master/{{SparkPartitions}}", guid="-3")


# 3. The columns: one entry for each pair of a source and a sink. The names under DatasetMapping must equal the
#    qualified names above, letter by letter. A sink column may come from several source columns: full_name does.

column_mapping = [
    {
        "DatasetMapping": {"Source": customer.qualifiedName, "Sink": customer_master.qualifiedName},
        "ColumnMapping": [
            {"Source": "customer_id", "Sink": "customer_id"},
            {"Source": "first_name", "Sink": "full_name"},
            {"Source": "last_name", "Sink": "full_name"},
        ],
    },
    {
        "DatasetMapping": {"Source": address.qualifiedName, "Sink": customer_master.qualifiedName},
        "ColumnMapping": [
            {"Source": "street", "Sink": "street"},
            {"Source": "city", "Sink": "city"},
        ],
    },
]


# 4. The process, which is the lineage: what it reads, what it writes, and the columns. The attribute is a text,
#    so the mapping is turned into JSON once; done twice, Purview stores it and shows nothing.

process = AtlasProcess(
    name="build_customer_master → customer_master",
    typeName="azure_synapse_operation",
    qualified_name=f"tutorial://build_customer_master#{customer_master.qualifiedName}",
    inputs=[customer, address],
    outputs=[customer_master],
    guid="-4",
    attributes={"columnMapping": json.dumps(column_mapping)},
)


# 5. One upload for all four. Running this again changes nothing: Purview finds them by type and qualified name.

entities = [customer, address, customer_master, process]
try:
    answer = client.upload_entities(entities)
except AtlasException as refusal:  # Derives from BaseException, so "except Exception" would miss it.
    sys.exit(f"{endpoint} refused the upload: {refusal}")
except (RequestException, ValueError) as fault:
    sys.exit(f"The upload to {endpoint} failed: {fault}")


# 6. What came of it. The answer tells which guid stands for which placeholder.

guids: dict[str, str] = answer["guidAssignments"]
print(f"Uploaded to {endpoint}:")
for entity in entities:
    print(f"  {guids[entity.guid]}  {entity.typeName:<32}  {entity.name}")
print()
if is_local:
    print(f"See it at {endpoint}/asset/{guids[customer_master.guid]}")
else:
    print("See it in the Purview portal: Data catalogue → search for customer_master → its tab Lineage.")
    print("Switch on the columns there. The search index follows after some minutes.")

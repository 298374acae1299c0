"""The script that Atlan's documentation leads to: ``pyatlan_script.py URL USERS GROUPS create|find``, in an environment with pyatlan.

Group by group and person by person: create, look up, add to groups; each call as developer.atlan.com shows it. It is
spared all that it would need besides: no checks, no look for who is there already, no second tries.
"""

import csv
import os
import sys
from pathlib import Path

from pyatlan.client.atlan import AtlanClient
from pyatlan.model.group import AtlanGroup
from pyatlan.model.user import AtlanUser

url, users, groups, way = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
client = AtlanClient(base_url=url, api_key=os.environ["ONBOARDING_SANDBOX_KEY"], proxy=None)

guids: dict[str, str] = {}
for row in csv.DictReader(groups.open()):
    name = row["group"]
    if way == "create":
        guids[name] = client.group.create(AtlanGroup.create(alias=name)).group
    else:
        found = client.group.get_by_name(name).current_page()
        guids[name] = next(group.id for group in found if group.alias == name)

for row in csv.DictReader(users.open()):
    client.user.create([AtlanUser.create(email=row["email"], role_name="$member")])
    account = client.user.get_by_email(row["email"]).current_page()[0]
    client.user.add_to_groups(account.id, [guids[name] for name in row["groups"].split(";")])

"""The embedded tenant as it is, told over plain HTTP and without any client's help: what is true in it, what it got."""

from __future__ import annotations

from typing import Any

import requests

API = "/api/service"


class Tenant:
    """The embedded tenant, and what is true in it, told without any client's help."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.headers["Authorization"] = "Bearer sandbox"

    def get(self, path: str, **params: Any) -> Any:
        answer = self.http.get(self.url + path, params=params, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.http.post(self.url + path, json=body, timeout=10)
        answer.raise_for_status()
        return answer.content and answer.json()

    def records(self, path: str) -> list[dict[str, Any]]:
        return self.get(API + path, limit=100)["records"] or []

    def fault(self, **fault: Any) -> None:
        self.post("/__sandbox__/faults", {"faults": [fault]})

    def log(self) -> list[str]:
        """Every request that arrived, repeats included."""
        return [
            f"{each['method']} {each['path'].partition('?')[0].removeprefix(API)}"
            for each in self.get("/__sandbox__/requests")
        ]

    def names(self) -> dict[str, str]:
        """``{ana.kovacs}``, ``{finance}``, ``{$member}`` -> the guid."""
        rows = self.records("/users") + self.records("/groups") + self.records("/roles")
        return {f"{{{row.get('username') or row['name']}}}": row["id"] for row in rows}

    def facts(self) -> set[str]:
        people, groups = self.records("/users"), self.records("/v2/groups")
        found = {f"{mail['email']} was mailed" for mail in self.get("/__sandbox__/mails")}
        for user in people:
            found.add(f"{user['username']} is {user.get('workspaceRole')}")
        for group in groups:
            name, attributes = group["name"], group["attributes"]
            found.add(f"there is {name}")
            found |= {
                f"{name} has {key} {attributes[key]}"
                for key in ("alias", "description", "isDefault", "channels")
                if key in attributes
            }
            members = self.records(f"/groups/{group['id']}/members")
            found |= {f"{user['username']} in {name}" for user in members}
        return found

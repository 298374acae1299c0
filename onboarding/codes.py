"""Every finding and outcome code: what it means and what to do, in words for an HR person.

The one place for such words. ``onboarding explain CODE``, the ``result_fix`` column and docs/codes.md come from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One entry: what it is about (``row``, ``note``, ``outcome``), what it means, what to do."""

    about: str
    title: str
    """A few words, for where a sentence is too long: ``37 rows: domain not allowed``."""
    meaning: str
    fix: str
    example: str = ""


CODES: dict[str, Code] = {
    # ---- a row that is wrong: it is rejected, and nothing is sent for its person -------------------------
    "email-missing": Code(
        "row",
        "no e-mail address",
        "The row has no e-mail address, so nobody knows whom it means.",
        "Fill in the person's work address.",
        "an empty email cell",
    ),
    "email-invalid": Code(
        "row",
        "not an e-mail address",
        "The e-mail cell does not hold an address that mail could be sent to.",
        "Correct the address; it looks like name@company.example.",
        "bob@acme",
    ),
    "domain-not-allowed": Code(
        "row",
        "domain not allowed",
        "The address is at a domain that this job may not invite.",
        "Correct the address, or ask the administrator to add the domain to allowed_domains.",
        "ana@gmial.example where only acme.example is allowed",
    ),
    "role-unknown": Code(
        "row",
        "no such role",
        "The role is none of Guest, Member and Admin.",
        "Write Guest, Member or Admin, or ask the administrator to add the word to role_aliases.",
        "Editor",
    ),
    "status-unknown": Code(
        "row",
        "no known status",
        "The status is a word that this tool does not know.",
        "Write active, on leave, not started or terminated.",
        "maybe",
    ),
    "action-unknown": Code(
        "row",
        "neither add nor remove",
        "The action is neither add nor remove.",
        "Write add or remove; an empty cell means add.",
        "move",
    ),
    "default-unknown": Code(
        "row",
        "default is neither yes nor no",
        "The default cell is neither yes nor no.",
        "Write yes or no; an empty cell leaves it as it is.",
        "perhaps",
    ),
    "group-missing": Code(
        "row",
        "no group named",
        "The row names no group.",
        "Fill in the group's name.",
        "an empty group cell",
    ),
    "group-name-invalid": Code(
        "row",
        "a name that no group can have",
        "The group's name can't be used: too long, or nothing of it is left for an internal name.",
        "Use a name of at most 255 characters with some letters or digits in it.",
        "a name made of dashes only",
    ),
    "internal-name-invalid": Code(
        "row",
        "internal name not allowed",
        "An internal name may hold only small letters a to z, digits and _.",
        "Correct internal_name, or leave the cell empty to have one made from the group's name.",
        "Data Platform",
    ),
    "description-too-long": Code(
        "row",
        "description too long",
        "The description is longer than the 255 characters that a tenant keeps.",
        "Shorten it to 255 characters.",
    ),
    "row-ragged": Code(
        "row",
        "too many cells in the row",
        "The row has more cells than the table has columns, so its cells may stand under the wrong headers.",
        "Look for a stray separator, or put quotes around a cell that holds one.",
        "Ana,ana@acme.example,Member,Finance, Ops in a table of four columns",
    ),
    "cell-error": Code(
        "row",
        "an error in the cell",
        "The spreadsheet shows an error instead of a value in this cell.",
        "Open the file, repair the formula, save, and run again.",
        "#REF!",
    ),
    "person-conflict": Code(
        "row",
        "rows about a person disagree",
        "Several rows are about the same person and disagree.",
        "Decide which row is right and correct or delete the others.",
        "Member on row 4, Guest on row 9",
    ),
    "group-conflict": Code(
        "row",
        "rows about a group disagree",
        "Several rows are about the same group and disagree.",
        "Decide which row is right and correct or delete the others.",
        "default is yes on row 2 and no on row 5",
    ),
    "membership-conflict": Code(
        "row",
        "both added and removed",
        "One row adds the person to the group and another removes the person from it.",
        "Delete the row that is wrong.",
    ),
    "internal-name-collision": Code(
        "row",
        "two groups, one internal name",
        "Two different groups would get the same internal name.",
        "Give each its own internal_name, or use one spelling for both.",
        "'Data Eng' and 'data_eng'",
    ),
    "group-unknown": Code(
        "row",
        "nobody knows this group",
        "Neither the sheets nor the tenant know this group.",
        "Correct the name, add a row for it to the groups sheet, or run with --create-groups.",
        "Finanse, where the tenant has Finance",
    ),
    "group-ambiguous": Code(
        "row",
        "two groups fit the name",
        "The name fits two groups of the tenant.",
        "Write the internal name of the one that is meant.",
    ),
    "person-unknown": Code(
        "row",
        "nobody knows this person",
        "Neither the sheets nor the tenant know this person.",
        "Correct the address, or add the person to the users sheet.",
    ),
    "email-changed": Code(
        "row",
        "account under another address",
        "The person seems to have an account already, under another address or user name.",
        "Use the address of the existing account, or have it changed in Atlan first.",
        "the row's personal address has an account",
    ),
    # ---- worth saying; the row goes on --------------------------------------------------------------------
    "email-cleaned": Code(
        "note",
        "invisible characters taken off",
        "Blanks or invisible characters were taken off the address.",
        "Nothing; correct the source if you can.",
    ),
    "repeated": Code(
        "note",
        "said twice",
        "The same person (or group, or membership) stands on another row too; the rows agree.",
        "Nothing; delete one of them if you can.",
    ),
    "on-leave": Code(
        "note",
        "on leave, treated as active",
        "A person on leave is treated as active.",
        "Nothing.",
    ),
    "same-local-part": Code(
        "note",
        "same name before the @",
        "Two people have the same name before the @; Atlan makes the user name from it and may refuse one.",
        "Nothing, unless the tenant refuses the invitation.",
        "ana@acme.example and ana@acme-labs.example",
    ),
    "name-derived": Code(
        "note",
        "internal name made from the name",
        "The group's internal name was made from its name with some characters replaced.",
        "If the group is new and you want another one, fill in internal_name. It can never be changed later.",
        "R&D/Ops becomes r_d_ops",
    ),
    "column-unknown": Code(
        "note",
        "column not known",
        "No field of this tool goes by this header; the column comes back in the report.",
        "Nothing, or map it under [columns] in the settings.",
    ),
    "table-ignored": Code(
        "note",
        "table not read",
        "A file or sheet was not read: none of its headers is known, or it is hidden.",
        "Nothing, or correct its headers, or show the sheet.",
    ),
    "encoding-guessed": Code(
        "note",
        "encoding guessed",
        "The file is not UTF-8; its encoding was guessed, and no doubtful character reaches the tenant.",
        "Save it as UTF-8, or name the encoding with --encoding.",
    ),
    "protected-group": Code(
        "note",
        "members kept by single sign-on",
        "Single sign-on keeps the members of this group (sso_groups) and may undo the change.",
        "Nothing this once; change the membership in the identity provider to make it last.",
    ),
    # ---- settled without anything being sent --------------------------------------------------------------
    "no-change": Code(
        "outcome", "already as asked", "The tenant already was as asked; nothing was sent.", ""
    ),
    "not-compared": Code(
        "outcome",
        "valid; not compared with a tenant",
        "The row is valid. It was not compared with a tenant.",
        "Run `onboarding plan` to see what would change.",
    ),
    "planned": Code(
        "outcome",
        "would be done",
        "This would be done.",
        "Run it with `onboarding run` or `apply`.",
    ),
    "earlier-run": Code(
        "outcome",
        "done by an interrupted run",
        "An earlier run that was interrupted had done this already; it was seen now.",
        "",
    ),
    "not-started": Code(
        "outcome",
        "hired, not started yet",
        "The person is hired and has not started; nothing is done before that.",
        "Nothing. The person is invited once the status says active.",
    ),
    "unknown-leaver": Code(
        "outcome",
        "a leaver without an account",
        "A leaver whom the tenant does not know: nothing to do.",
        "",
    ),
    "already-disabled": Code(
        "outcome", "account disabled already", "The leaver's account is disabled already.", ""
    ),
    "unknown-to-remove": Code(
        "outcome",
        "nothing to remove",
        "The person or group to remove from is not in the tenant: nothing to do.",
        "",
    ),
    "deactivate": Code(
        "outcome",
        "account to be deactivated by hand",
        "The person has left. An API token can't deactivate an account.",
        "Deactivate the account in Atlan under Admin, Users.",
    ),
    "reactivate": Code(
        "outcome",
        "account to be enabled by hand",
        "The person is active and the account is disabled. An API token can't enable it.",
        "Enable the account in Atlan under Admin, Users, then run again.",
    ),
    "leaver-grants": Code(
        "outcome",
        "a leaver is not added to groups",
        "A leaver is not added to groups.",
        "Nothing; delete the membership from the sheet if you can.",
    ),
    "held": Code(
        "outcome",
        "waits for a rejected row",
        "Another row about the same person or group was rejected, so nothing is done for it.",
        "Correct the row that the message names and run again.",
    ),
    "needs-allow-admins": Code(
        "outcome",
        "Admin needs --allow-admins",
        "Making somebody Admin, or taking it away, needs an explicit permission.",
        "Ask the administrator to run with --allow-admins.",
    ),
    "needs-allow-default": Code(
        "outcome",
        "needs --allow-default",
        "A default group takes in everybody who is invited; making one needs an explicit permission.",
        "Ask the administrator to run with --allow-default.",
    ),
    "own-account": Code(
        "outcome",
        "the token's own account",
        "This is the account behind the API token; its role is never lowered.",
        "Use the token of another account if this is really meant.",
    ),
    "last-admin": Code(
        "outcome",
        "no admin would be left",
        "This would leave the tenant without an admin.",
        "Make somebody else Admin first.",
    ),
    "invitations-off": Code(
        "outcome",
        "invitations are switched off",
        "The run was told not to invite anybody (--no-invite).",
        "Run again without --no-invite.",
    ),
    "invited-recently": Code(
        "outcome",
        "invited in the last 30 days",
        "The person was invited less than 30 days ago and the tenant no longer shows the account.",
        "Find out what happened to the account; --reinvite ADDRESS sends another invitation.",
    ),
    "in-doubt": Code(
        "outcome",
        "sent, and not known to be done",
        "It was sent, and neither the answer nor a look at the tenant could settle whether it was done.",
        "Run again after the waiting time (15 minutes); it is not sent twice.",
    ),
    "over-limit": Code(
        "outcome",
        "stopped by a safety limit",
        "A safety limit stopped the whole plan; nothing was sent.",
        "Check the numbers in the message. If they are meant, the administrator can let exactly this plan pass.",
    ),
    "declined": Code(
        "outcome", "you said no", "You said no; nothing was sent.", "Run again when you are sure."
    ),
    "changed-since-plan": Code(
        "outcome",
        "changed since the plan",
        "The tenant has changed here since the plan was made.",
        "Make a new plan and review it.",
    ),
    "not-in-plan": Code(
        "outcome",
        "not in the reviewed plan",
        "The reviewed plan does not contain this.",
        "Make a new plan and review it.",
    ),
    "dependency": Code(
        "outcome",
        "depends on something not done",
        "Not tried, because something that it depends on was not done.",
        "See to the row that the message names and run again.",
    ),
    "interrupted": Code(
        "outcome",
        "the run stopped before",
        "The run stopped before this was tried.",
        "Run the same command again to carry on.",
    ),
    "breaker": Code(
        "outcome",
        "stopped after doubtful answers",
        "Not tried, because several times in a row it was in doubt what the tenant had done: twice for what creates "
        "somebody or something, five times for anything.",
        "Check the tenant and run again later.",
    ),
    # ---- sent ---------------------------------------------------------------------------------------------
    "done": Code("outcome", "done, and seen in the tenant", "Done, and seen in the tenant.", ""),
    "refused": Code(
        "outcome",
        "refused by the tenant",
        "The tenant refused this; its own words stand in the message.",
        "Correct what the tenant complains about, or ask its administrator.",
    ),
    "not-visible": Code(
        "outcome",
        "accepted, not visible yet",
        "The tenant accepted it and does not show it yet.",
        "Run again later; it is not sent twice.",
    ),
    "invite-by-hand": Code(
        "outcome",
        "to be invited by hand",
        "The tenant does not let an API token invite (single sign-on is enforced, or no seat is left).",
        "Add the person through single sign-on or in Atlan under Admin, Users.",
    ),
    "throttled": Code(
        "outcome",
        "the tenant asked to slow down",
        "The tenant asked to slow down for longer than this run waits.",
        "Run again later.",
    ),
    "not-sent": Code(
        "outcome",
        "the tenant was not reached",
        "The tenant could not be reached, so nothing was sent.",
        "Check the network and run again.",
    ),
    "unaccounted": Code(
        "outcome",
        "a fault of this tool",
        "This tool lost track of the row. That is a fault of the tool, not of the row.",
        "Report it to whoever maintains this tool, and look at the tenant before running again.",
    ),
}

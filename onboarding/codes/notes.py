"""Worth saying; the row goes on."""

from __future__ import annotations

from onboarding.codes.entry import Code

NOTES: dict[str, Code] = {
    "email-cleaned": Code(
        "note",
        "more than an address in the cell",
        "Something around the address does not count and was taken off: invisible characters, quotes, a name, mailto:, a comma. Inside the address nothing was changed.",
        "Nothing; correct the source if you can.",
        "'Ana Kovács <ana@acme.example>,' is read as ana@acme.example",
    ),
    "email-unusual": Code(
        "note",
        "an unusual address",
        "The address is valid and of a kind that is seldom meant: with a + in it, or with letters beyond a to z.",
        "Nothing, if the address is right.",
        "ana+test@acme.example",
    ),
    "name-cleaned": Code(
        "note",
        "blanks cleaned in a group's name",
        "Hard blanks or invisible characters in the group's name don't count and are not sent.",
        "Nothing; correct the source if you can.",
        "a no-break space, pasted from a web page",
    ),
    "nothing-said": Code(
        "note",
        "a word for nothing",
        "The cell holds a word for nothing and is taken as blank.",
        "Nothing; leave the cell blank if you can.",
        "n/a, none, null or a lone dash under groups",
    ),
    "column-damaged": Code(
        "note",
        "a column shows damage",
        "A column that is only carried along shows what a program has done to it. Nothing of it reaches the tenant.",
        "Nothing; correct the source if you can.",
        "employee numbers such as 1.23E+11, or MÃ¼ller among last names",
    ),
    "repeated": Code(
        "note",
        "said twice",
        "The same person (or group, or membership) stands on another row too; the rows agree.",
        "Nothing; delete one of them if you can.",
        "ana@acme.example as Member on row 4 and again on row 9",
    ),
    "on-leave": Code(
        "note",
        "on leave, treated as active",
        "A person on leave is treated as active.",
        "Nothing.",
        "a status of 'parental leave'",
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
        "Shoe size",
    ),
    "table-ignored": Code(
        "note",
        "table not read",
        "A file or sheet was not read: none of its headers is known, or it is hidden.",
        "Nothing, or correct its headers, or show the sheet, or name it: hr.xlsx!Sheet.",
        "a sheet of meeting rooms, or a hidden sheet",
    ),
    "table-empty": Code(
        "note",
        "headers and no rows",
        "The table has headers and no rows. There is nothing to do for it, and nobody loses anything because of it.",
        "Check whether the file is the right one, and whether it was filled in and saved.",
        "a sheet with headers and no rows",
    ),
    "rows-set-aside": Code(
        "note",
        "lines that are no rows",
        "Some lines below the headers are no rows of the table: a total, an example, a remark, the headers once more.",
        "Nothing. If such a line is meant as a row, write it so that it does not look like a total or a remark.",
        "Total: 37",
    ),
    "hidden-read": Code(
        "note",
        "hidden rows or columns were read",
        "Rows or columns that the spreadsheet program hides or filters out were read like all others.",
        "Show them and check them; delete what is not meant.",
        "rows that a filter hides",
    ),
    "read-as": Code(
        "note",
        "not what its name says",
        "The file's content is of another kind than its name says. It was read as what it is.",
        "Nothing, or give the file its proper ending.",
        "a CSV file called staff.xls",
    ),
    "encoding-guessed": Code(
        "note",
        "encoding guessed",
        "The file is not UTF-8; its encoding was guessed, and no doubtful character reaches the tenant.",
        "Save it as UTF-8, or name the encoding with --encoding.",
        "a CSV file saved by an older Excel, with é in a last name",
    ),
    "protected-group": Code(
        "note",
        "members kept by single sign-on",
        "Single sign-on keeps the members of this group (sso_groups) and may undo the change.",
        "Nothing this once; change the membership in the identity provider to make it last.",
        "a row adds somebody to a group that sso_groups in the settings names",
    ),
}

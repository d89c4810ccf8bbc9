#include "sql/dialect.h"

/* The functions liga_* and the collation are registered by the driver on every connection. A type with "INT" in its name has
 * integer affinity, with CHAR or TEXT text affinity, with REAL, FLOA, DOUB real, else numeric (which leaves dates alone). */
const struct dialect dialect_sqlite = {
    .name = "sqlite",
    .mark = MARK_QUESTION,
    .cross_join_order = true,
    .forward_references = true,
    .nulls_smallest = true,
    .decimal_text = true,
    .inline_auto_key = true,
    .one_writer = true,
    .bulk_rows = 50,
    .in_list_limit = 512,
    .type = {
        [TYPE_STRING] = "VARCHAR(%l)", [TYPE_CHAR] = "CHAR(%l)", [TYPE_TEXT] = "TEXT",
        [TYPE_INTEGER] = "INTEGER", [TYPE_BIGINT] = "BIGINT", [TYPE_SMALLINT] = "SMALLINT",
        [TYPE_FLOAT] = "FLOAT", [TYPE_DOUBLE] = "DOUBLE PRECISION", [TYPE_REAL] = "REAL",
        [TYPE_DECIMAL] = "DECIMAL(%p,%s)", [TYPE_BOOLEAN] = "BOOLEAN",
        [TYPE_DATE] = "DATETIME", [TYPE_DATEONLY] = "DATE", [TYPE_TIME] = "TIME",
        [TYPE_BLOB] = "BLOB", [TYPE_UUID] = "UUID", [TYPE_JSON] = "TEXT", [TYPE_JSONB] = "TEXT",
        [TYPE_ENUM] = "TEXT",
    },
    .decimal_long = "DECIMAL_TEXT(%p,%s)",
    .op = {
        [OP_LIKE] = "liga_like(\2, \1)", [OP_NOT_LIKE] = "NOT liga_like(\2, \1)",
        [OP_ILIKE] = "\1 LIKE \2 ESCAPE '\\'", [OP_NOT_ILIKE] = "\1 NOT LIKE \2 ESCAPE '\\'",
        [OP_STARTS_WITH] = "liga_like(\2, \1)", [OP_ENDS_WITH] = "liga_like(\2, \1)",
        [OP_SUBSTRING] = "liga_like(\2, \1)",
        [OP_REGEXP] = "liga_regexp(\2, \1)", [OP_IREGEXP] = "liga_iregexp(\2, \1)",
        [OP_NOT_REGEXP] = "NOT liga_regexp(\2, \1)",
    },
    .auto_key = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .in_array = "\1 IN (SELECT value FROM json_each(\2))",
    .not_in_array = "\1 NOT IN (SELECT value FROM json_each(\2))",
    .add = { [VALUE_INT] = "liga_count(", [VALUE_TEXT] = "liga_add(" },
    .no_values = " DEFAULT VALUES",
    .truncate = "DELETE FROM ",
    .sequences = "sqlite_sequence",
    .ask_triggers = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) LIMIT 1",
    .json_path = { "liga_json(", "", { ", ", "" }, { ", ", "" }, ")" },
    .json_form = {
        [JSON_AS_VALUE] = "\1", [JSON_AS_ORDER] = "liga_json_order(\1)", [JSON_AS_TEXT] = "liga_json_text(\1)",
        [JSON_AS_NUMBER] = "liga_json_number(\1)", [JSON_AS_BOOL] = "liga_json_bool(\1)",
    },
    .json_operand = { [JSON_AS_TEXT] = "\1", [JSON_AS_NUMBER] = "\1", [JSON_AS_BOOL] = "\1" },
    .json_test = {
        [JSON_IS] = "liga_json_is(\1, \2)", [JSON_IS_NOT] = "NOT liga_json_is(\1, \2)",
        [JSON_CONTAINS] = "liga_json_contains(\1, \2)", [JSON_CONTAINED] = "liga_json_contains(\2, \1)",
        [JSON_OVERLAPS] = "liga_json_overlaps(\1, \2)",
    },
    .decimal_collation = "liga_decimal",
    .begin = {
        [BEGIN_DEFAULT] = "BEGIN IMMEDIATE", [BEGIN_DEFERRED] = "BEGIN DEFERRED",
        [BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE", [BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
        [BEGIN_SNAPSHOT] = "BEGIN DEFERRED",
    },
};

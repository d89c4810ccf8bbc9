/* Expression trees as text: operators, groups, lists, keys, raw SQL, subqueries. Each case is the WHERE of a select. */
#include "sql/expr.h"

#include "cases.h"
#include "sql/render.h"

typedef const struct expr *condition(struct blog *blog);

/* SELECT `id` FROM <model> WHERE <condition> */
static struct statement *where(struct blog *blog, const struct model *model, const struct dialect *dialect,
                               struct error *error, condition *make) {
    struct select *select = select_new(blog->arena, model, 0);
    output_add(blog->arena, &select->outputs, expr_new(blog->arena, EXPR_STAR), NULL);
    select_where(blog->arena, select, make(blog));
    return render_select(blog->arena, dialect, select, error);
}

#define CONDITION(name, model)                                                                                         \
    static const struct expr *condition_##name(struct blog *blog);                                                     \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error) {             \
        return where(blog, blog->model, dialect, error, condition_##name);                                             \
    }                                                                                                                  \
    static const struct expr *condition_##name(struct blog *blog)

static struct expr *column(struct blog *blog, const struct model *model, const char *name) {
    return expr_column(blog->arena, attr_find(model, name), ALIAS_HERE);
}

static struct expr *integer(struct blog *blog, int64_t number) {
    return expr_param(blog->arena, value_int(number));
}

static struct expr *text(struct blog *blog, const char *string) {
    return expr_param(blog->arena, value_text(string, strlen(string)));
}

static struct expr *age(struct blog *blog, enum op op, int64_t number) {
    return expr_operator(blog->arena, op, column(blog, blog->user, "age"), integer(blog, number));
}

static struct expr *name_matches(struct blog *blog, enum op op, const char *pattern) {
    return expr_operator(blog->arena, op, column(blog, blog->user, "name"), text(blog, pattern));
}

/* --------------------------------------------------------------------------------------------------- operators */

CONDITION(equal, user)          { return age(blog, OP_EQ, 5); }
CONDITION(unequal, user)        { return age(blog, OP_NE, 5); }
CONDITION(like, user)           { return name_matches(blog, OP_LIKE, "a%"); }
CONDITION(not_ilike, user)      { return name_matches(blog, OP_NOT_ILIKE, "a%"); }
CONDITION(regexp, user)         { return name_matches(blog, OP_REGEXP, "^a"); }
CONDITION(is_null, user)        { return expr_attr_is(blog->arena, attr_find(blog->user, "age"), value_null()); }
CONDITION(attr_is, user)        { return expr_attr_is(blog->arena, attr_find(blog->user, "age"), value_int(7)); }
CONDITION(not, user)            { return expr_not(blog->arena, age(blog, OP_EQ, 5)); }
CONDITION(yes, user)            { return expr_const(blog->arena, true); }
CONDITION(mapped_column, post)  { return expr_attr_is(blog->arena, attr_find(blog->post, "userId"), value_int(1)); }

CONDITION(between, user) {
    struct expr *expr = expr_operator(blog->arena, OP_BETWEEN, column(blog, blog->user, "age"), integer(blog, 1));
    expr->first->next->next = integer(blog, 9);
    return expr;
}

CONDITION(columns, user) {
    return expr_operator(blog->arena, OP_GT, column(blog, blog->user, "age"), column(blog, blog->user, "id"));
}

CONDITION(long_decimal, user) {
    return expr_operator(blog->arena, OP_GT, column(blog, blog->user, "balance"), text(blog, "1.50"));
}

CONDITION(mixed_date, user) {
    return expr_operator(blog->arena, OP_LT, column(blog, blog->user, "born"), text(blog, "2026-01-01T00:00:00.000Z"));
}

/* The group stands in parentheses, wherever it hides. */
CONDITION(group_as_operand, user) {
    struct expr *either = expr_group(blog->arena, EXPR_OR);
    expr_push(blog->arena, either, age(blog, OP_EQ, 1));
    expr_push(blog->arena, either, age(blog, OP_EQ, 2));
    struct expr *wrapped = expr_at(blog->arena, ALIAS_HERE, either);
    return expr_operator(blog->arena, OP_EQ, wrapped, expr_const(blog->arena, true));
}

/* ------------------------------------------------------------------------------------------------------ groups */

static struct expr *group_of(struct blog *blog, enum expr_kind kind, int count) {
    struct expr *group = expr_group(blog->arena, kind);
    for (int i = 1; i <= count; i++) expr_push(blog->arena, group, age(blog, OP_NE, i));
    return group;
}

CONDITION(empty_and, user)  { return group_of(blog, EXPR_AND, 0); }
CONDITION(empty_or, user)   { return group_of(blog, EXPR_OR, 0); }
CONDITION(one_child, user)  { return group_of(blog, EXPR_OR, 1); }
CONDITION(three, user)      { return group_of(blog, EXPR_AND, 3); }

CONDITION(nested, user) {
    struct expr *group = group_of(blog, EXPR_AND, 1);
    expr_push(blog->arena, group, group_of(blog, EXPR_OR, 2));
    expr_push(blog->arena, group, NULL);
    return group;
}

/* One OR inside one AND inside an AND of two. */
CONDITION(hidden_or, user) {
    struct expr *inner = expr_group(blog->arena, EXPR_AND), *group = group_of(blog, EXPR_AND, 1);
    expr_push(blog->arena, inner, group_of(blog, EXPR_OR, 2));
    expr_push(blog->arena, group, inner);
    return group;
}

/* A condition that stands in two groups ends up in neither twice. */
CONDITION(shared_child, user) {
    const struct expr *shared = age(blog, OP_EQ, 1);
    struct expr *first = expr_group(blog->arena, EXPR_AND), *second = expr_group(blog->arena, EXPR_OR);
    expr_push(blog->arena, first, shared);
    expr_push(blog->arena, second, shared);
    expr_push(blog->arena, second, age(blog, OP_EQ, 2));
    return expr_and(blog->arena, first, second);
}

CONDITION(and_of_nothing, user) {
    return expr_and(blog->arena, expr_and(blog->arena, NULL, age(blog, OP_EQ, 1)), NULL);
}

/* A long chain becomes a tree: SQLite takes at most 1000 levels. */
CONDITION(long_chain, user) {
    return group_of(blog, EXPR_AND, 2000);
}

/* ------------------------------------------------------------------------------------------------------- lists */

static const struct expr *list(struct blog *blog, enum op op, int count) {
    struct value *values = arena_array(blog->arena, struct value, count + 1);
    for (int i = 0; i < count; i++) values[i] = value_int(i + 1);
    return expr_list(blog->arena, op, column(blog, blog->user, "age"), values, count);
}

CONDITION(in_nothing, user)     { return list(blog, OP_IN, 0); }
CONDITION(not_in_nothing, user) { return list(blog, OP_NOT_IN, 0); }
CONDITION(in_one, user)         { return list(blog, OP_IN, 1); }
CONDITION(in_three, user)       { return list(blog, OP_IN, 3); }
CONDITION(not_in_four, user)    { return list(blog, OP_NOT_IN, 4); }

/* As one array: 513 numbers. */
static struct statement *in_many(struct blog *blog, const struct dialect *dialect, struct error *error) {
    struct select *select = select_new(blog->arena, blog->user, 0);
    output_add(blog->arena, &select->outputs, expr_new(blog->arena, EXPR_STAR), NULL);
    select->where = list(blog, OP_NOT_IN, 513);
    struct statement *statement = render_select(blog->arena, dialect, select, error);
    if (!statement || statement->param_count != 1) return statement;
    struct value *param = (struct value *)(uintptr_t)statement->params;
    bool list = param->kind == VALUE_LIST && param->len == 513 && param->as.items[512].as.integer == 513;
    bool json = param->kind == VALUE_TEXT && param->len == 1945 && memcmp(param->as.text, "[1,2,3,", 7) == 0
                && strcmp(param->as.text + param->len - 9, ",512,513]") == 0;
    *param = value_bool(list || json);
    return statement;
}

/* How each kind of value is written in the array. */
CONDITION(array_of_kinds, user) {
    static const char strange[] = "q\"\\\n\x01\xc3\xa9";
    struct value *values = arena_array(blog->arena, struct value, 600);
    for (int i = 0; i < 600; i++) values[i] = value_int(1);
    values[0] = value_text(strange, sizeof strange - 1);
    values[1] = value_real(0.1);
    values[2] = value_real(-1.0 / 0.0);
    values[3] = value_bool(true);
    values[4] = value_null();
    values[5] = value_int(INT64_MIN);
    values[6] = value_real(1e300);
    return expr_list(blog->arena, OP_IN, column(blog, blog->user, "name"), values, 600);
}

/* Blobs have no place in JSON: 600 marks, padded to 1024. */
CONDITION(many_blobs, user) {
    struct value *values = arena_array(blog->arena, struct value, 600);
    for (int i = 0; i < 600; i++) values[i] = value_blob("\0", 1);
    return expr_list(blog->arena, OP_IN, column(blog, blog->user, "name"), values, 600);
}

/* -------------------------------------------------------------------------------------------------------- keys */

static const struct expr *places(struct blog *blog, int tuples) {
    struct value *values = arena_array(blog->arena, struct value, 2 * tuples + 1);
    for (int i = 0; i < tuples; i++) {
        values[2 * i] = value_int(i + 1);
        values[2 * i + 1] = value_text("a", 1);
    }
    return expr_keys(blog->arena, blog->place->key, values, tuples);
}

CONDITION(no_key, place)        { return places(blog, 0); }
CONDITION(one_tuple, place)     { return places(blog, 1); }
CONDITION(three_tuples, place)  { return places(blog, 3); }
CONDITION(not_tuples, place)    { return expr_not(blog->arena, expr_at(blog->arena, ALIAS_HERE, places(blog, 2))); }
CONDITION(many_tuples, place)   { return places(blog, 3000); }

static const struct expr *ids(struct blog *blog, int count) {
    struct value *values = arena_array(blog->arena, struct value, count + 1);
    for (int i = 0; i < count; i++) values[i] = value_int(i + 1);
    return expr_keys(blog->arena, blog->user->key, values, count);
}

CONDITION(one_id, user)     { return ids(blog, 1); }
CONDITION(three_ids, user)  { return ids(blog, 3); }

/* A key whose stored form is not unique compares like any other operand. */
CONDITION(decimal_key, user) {
    static const struct value value = { .kind = VALUE_TEXT, .len = 4, .as.text = "1.50" };
    return expr_keys(blog->arena, blog_list(blog->user, "balance", NULL), &value, 1);
}

/* ------------------------------------------------------------------------------------------------ other kinds */

CONDITION(function, user) {
    struct expr *lower = expr_new(blog->arena, EXPR_FUNCTION);
    lower->text = "substr";
    lower->first = column(blog, blog->user, "name");
    lower->first->next = integer(blog, 2);
    return expr_operator(blog->arena, OP_EQ, lower, text(blog, "nn"));
}

CONDITION(cast, user) {
    struct expr *cast = expr_new(blog->arena, EXPR_CAST);
    cast->text = "INTEGER";
    cast->first = column(blog, blog->user, "name");
    return expr_operator(blog->arena, OP_EQ, cast, integer(blog, 1));
}

CONDITION(raw, user) {
    static const char *const pieces[] = { "coalesce(", ", ", ") = 1" };
    struct expr *raw = expr_new(blog->arena, EXPR_RAW);
    raw->pieces = pieces;
    raw->first = column(blog, blog->user, "age");
    raw->first->next = integer(blog, 3);
    return raw;
}

static struct select *ids_of_posts(struct blog *blog) {
    struct select *select = select_new(blog->arena, blog->post, 9);
    output_add(blog->arena, &select->outputs, column(blog, blog->post, "userId"), NULL);
    return select;
}

CONDITION(in_select, user) {
    struct expr *in = expr_new(blog->arena, EXPR_SELECT);
    in->op = OP_IN;
    in->first = column(blog, blog->user, "id");
    in->select = ids_of_posts(blog);
    return in;
}

CONDITION(in_select_as_operand, user) {
    struct expr *in = expr_new(blog->arena, EXPR_SELECT);
    in->op = OP_NOT_IN;
    in->first = column(blog, blog->user, "id");
    in->select = ids_of_posts(blog);
    return expr_operator(blog->arena, OP_NOT_ILIKE, text(blog, "a"), in);
}

CONDITION(exists, user) {
    struct expr *exists = expr_new(blog->arena, EXPR_EXISTS);
    struct select *select = ids_of_posts(blog);
    select->qualified = true;
    select_where(blog->arena, select,
                 expr_attr_is(blog->arena, attr_find(blog->post, "status"), value_text("open", 4)));
    exists->select = select;
    return expr_not(blog->arena, exists);
}

/* ALIAS_HERE is the alias that EXPR_AT says, the innermost one counts, and afterwards it is the outer one again. */
static struct statement *scopes(struct blog *blog, const struct dialect *dialect, struct error *error) {
    struct arena *arena = blog->arena;
    struct select *select = select_new(arena, blog->user, 0);
    select->qualified = true;
    select_join(arena, select, JOIN_INNER, blog->user, 1, expr_const(arena, true));
    output_add(arena, &select->outputs, expr_new(arena, EXPR_STAR), NULL);
    struct expr *group = expr_group(arena, EXPR_AND);
    expr_push(arena, group, expr_at(arena, 1, expr_at(arena, ALIAS_HERE, age(blog, OP_EQ, 1))));
    expr_push(arena, group, expr_at(arena, 1, expr_at(arena, 0, age(blog, OP_EQ, 2))));
    expr_push(arena, group, age(blog, OP_EQ, 3));
    select->where = group;
    return render_select(arena, dialect, select, error);
}

#define USERS "SELECT * FROM `users` WHERE "
#define PLACES "SELECT * FROM `places` WHERE "
#define SHOP "SELECT * FROM `shop`.`places` WHERE "

static const struct sql_case cases[] = {
    { "equal", equal, USERS "`age` = ? | 5", NULL },
    { "unequal", unequal, USERS "`age` <> ? | 5", NULL },
    { "like", like, USERS "liga_like(?, `name`) | 'a%'", USERS "`name` LIKE $1 | 'a%'" },
    { "not ilike", not_ilike, USERS "`name` NOT LIKE ? ESCAPE '\\' | 'a%'", USERS "`name` NOT ILIKE $1 | 'a%'" },
    { "regexp", regexp, USERS "liga_regexp(?, `name`) | '^a'", USERS "`name` ~ $1 | '^a'" },
    { "NULL is IS NULL", is_null, USERS "`age` IS NULL", NULL },
    { "an attribute is a value", attr_is, USERS "`age` = ? | 7", NULL },
    { "not", not, USERS "NOT (`age` = ?) | 5", NULL },
    { "true", yes, USERS "1 = 1", NULL },
    { "a column with another name", mapped_column, "SELECT * FROM `posts` WHERE `user_id` = ? | 1", NULL },
    { "between", between, USERS "`age` BETWEEN ? AND ? | 1, 9", NULL },
    { "two columns", columns, USERS "`age` > `id`", NULL },
    { "a long decimal has its collation on SQLite", long_decimal, USERS "`balance` COLLATE liga_decimal > ? | '1.50'",
      USERS "`balance` > $1 | '1.50'" },
    { "a date in mixed forms", mixed_date, USERS "liga_date(`born`) < ? | '2026-01-01T00:00:00.000Z'",
      USERS "`born` < $1 | '2026-01-01T00:00:00.000Z'" },
    { "a group as operand", group_as_operand, USERS "(`age` = ? OR `age` = ?) = (1 = 1) | 1, 2", NULL },

    { "an empty AND is true", empty_and, USERS "1 = 1", NULL },
    { "an empty OR is false", empty_or, USERS "1 = 0", NULL },
    { "a group of one", one_child, USERS "`age` <> ? | 1", NULL },
    { "a group of three", three, USERS "`age` <> ? AND `age` <> ? AND `age` <> ? | 1, 2, 3", NULL },
    { "OR within AND", nested, USERS "`age` <> ? AND (`age` <> ? OR `age` <> ?) | 1, 1, 2", NULL },
    { "OR within a group of one", hidden_or, USERS "`age` <> ? AND (`age` <> ? OR `age` <> ?) | 1, 1, 2", NULL },
    { "a child of two groups", shared_child, USERS "(`age` = ?) AND (`age` = ? OR `age` = ?) | 1, 1, 2", NULL },
    { "a AND nothing is a", and_of_nothing, USERS "`age` = ? | 1", NULL },

    { "in nothing", in_nothing, USERS "1 = 0", NULL },
    { "not in nothing", not_in_nothing, USERS "1 = 1", NULL },
    { "in one", in_one, USERS "`age` IN (?) | 1", USERS "`age` = ANY ($1) | [1]" },
    { "in three, padded", in_three, USERS "`age` IN (?, ?, ?, ?) | 1, 2, 3, 3", USERS "`age` = ANY ($1) | [1,2,3]" },
    { "not in four", not_in_four, USERS "`age` NOT IN (?, ?, ?, ?) | 1, 2, 3, 4",
      USERS "`age` <> ALL ($1) | [1,2,3,4]" },
    { "not in many", in_many, USERS "`age` NOT IN (SELECT value FROM json_each(?)) | true",
      USERS "`age` <> ALL ($1) | true" },

    { "no key", no_key, PLACES "1 = 0", SHOP "1 = 0" },
    { "one tuple", one_tuple, PLACES "`shop` = ? AND `shelf` = ? | 1, 'a'",
      SHOP "`shop` = $1 AND `shelf` = $2 | 1, 'a'" },
    { "three tuples", three_tuples,
      PLACES "((`shop` = ? AND `shelf` = ?) OR ((`shop` = ? AND `shelf` = ?) OR (`shop` = ? AND `shelf` = ?)))"
             " | 1, 'a', 2, 'a', 3, 'a'",
      SHOP "((`shop` = $1 AND `shelf` = $2) OR ((`shop` = $3 AND `shelf` = $4) OR (`shop` = $5 AND `shelf` = $6)))"
           " | 1, 'a', 2, 'a', 3, 'a'" },
    { "not these tuples", not_tuples,
      PLACES "NOT (((`shop` = ? AND `shelf` = ?) OR (`shop` = ? AND `shelf` = ?))) | 1, 'a', 2, 'a'",
      SHOP "NOT (((`shop` = $1 AND `shelf` = $2) OR (`shop` = $3 AND `shelf` = $4))) | 1, 'a', 2, 'a'" },
    { "one id", one_id, USERS "`id` = ? | 1", NULL },
    { "three ids", three_ids, USERS "`id` IN (?, ?, ?, ?) | 1, 2, 3, 3", USERS "`id` = ANY ($1) | [1,2,3]" },
    { "a long decimal as key", decimal_key, USERS "`balance` COLLATE liga_decimal = ? | '1.50'",
      USERS "`balance` = $1 | '1.50'" },

    { "a function", function, USERS "substr(`name`, ?) = ? | 2, 'nn'", NULL },
    { "a cast", cast, USERS "CAST(`name` AS INTEGER) = ? | 1", NULL },
    { "raw SQL with values", raw, USERS "coalesce(`age`, ?) = 1 | 3", NULL },
    { "in a subquery", in_select, USERS "`id` IN (SELECT `user_id` FROM `posts`)", NULL },
    { "in a subquery, as operand", in_select_as_operand,
      USERS "? NOT LIKE (`id` NOT IN (SELECT `user_id` FROM `posts`)) ESCAPE '\\' | 'a'",
      USERS "$1 NOT ILIKE (`id` NOT IN (SELECT `user_id` FROM `posts`)) | 'a'" },
    { "exists", exists, USERS "NOT (EXISTS (SELECT t9.`user_id` FROM `posts` AS t9 WHERE t9.`status` = ?)) | 'open'",
      NULL },
    { "scopes of the alias", scopes,
      "SELECT * FROM `users` AS t0 INNER JOIN `users` AS t1 ON 1 = 1"
      " WHERE t1.`age` = ? AND t0.`age` = ? AND t0.`age` = ? | 1, 2, 3",
      NULL },
};

/* --------------------------------------------------------------------------------------- too long for a table */

static const struct sql_case long_cases[] = {
    { "a chain of 2000", long_chain, "", NULL }, { "600 blobs", many_blobs, "", NULL },
    { "3000 tuples", many_tuples, "", NULL }, { "an array of every kind", array_of_kinds, "", NULL },
};

/* The deepest nesting of parentheses, and what stands in them. */
static int depth_of(const char *sql) {
    int depth = 0, deepest = 0;
    for (; *sql; sql++) {
        depth += *sql == '(' ? 1 : *sql == ')' ? -1 : 0;
        if (depth > deepest) deepest = depth;
    }
    return depth ? -1 : deepest;
}

static struct statement *make_long(struct arena *arena, const struct dialect *dialect, const struct sql_case *one) {
    struct blog *blog = arena_new(arena, struct blog);
    struct error *error = arena_new(arena, struct error);
    blog_init(blog, arena);
    return one->make(blog, dialect, error);
}

static void test_long(struct arena *arena) {
    for (size_t i = 0; i < sizeof long_cases / sizeof *long_cases; i++)
        CHECK(runs_on_sqlite(&long_cases[i]), "%s: SQLite takes it", long_cases[i].name);
    struct statement *chain = make_long(arena, &dialect_sqlite, &long_cases[0]);
    CHECK(chain->param_count == 2000 && depth_of(chain->text) == 4, "a chain of 2000 is balanced, 4 deep");
    CHECK(chain->params[0].as.integer == 1 && chain->params[1999].as.integer == 2000, "in its order");
    CHECK(make_long(arena, &dialect_sqlite, &long_cases[1])->param_count == 600, "600 blobs are not padded");
    struct statement *tuples = make_long(arena, &dialect_postgres, &long_cases[2]);
    CHECK(tuples->param_count == 2 && tuples->params[0].len == 3000, "3000 tuples are two arrays");
    CHECK(strstr(tuples->text, "IN (SELECT * FROM unnest($1::") != NULL, "which the server joins");
    struct statement *array = make_long(arena, &dialect_sqlite, &long_cases[3]);
    static const char begin[] =
        "[\"q\\\"\\\\\\u000a\\u0001\xc3\xa9\",0.1,-9e999,1,null,-9223372036854775808,1e+300,1,1";
    bool right = array->param_count == 1 && strncmp(array->params[0].as.text, begin, sizeof begin - 1) == 0;
    if (!CHECK(right, "values in a JSON array")) printf("# %.120s\n", array->params[0].as.text);
}

/* What SQLite makes of such an array: it finds the strange values again. */
static void test_array_on_sqlite(struct arena *arena) {
    static const struct conn_options options = { .target = ":memory:" };
    struct error error = { 0 };
    struct conn *conn = driver_sqlite.open(&options, arena, &error);
    struct value given[] = { make_long(arena, &dialect_sqlite, &long_cases[3])->params[0],
                             value_text("q\"\\\n\x01\xc3\xa9", 7),
                             value_int(INT64_MIN),
                             value_real(0.1),
                             value_real(-1.0 / 0.0),
                             value_real(1e300) };
    static const char sql[] = "SELECT count(DISTINCT value) FROM json_each(?1) WHERE value IN (?2, ?3, ?4, ?5, ?6)";
    struct statement statement = { .text = sql, .len = sizeof sql - 1, .params = given, .param_count = 6 };
    struct cursor *cursor = driver_sqlite.start(conn, &statement, arena, &error);
    enum drive drive = driver_sqlite.step(conn, cursor, arena, &error);
    CHECK(drive == DRIVE_ROW && cursor->cells[0].as.integer == 5, "SQLite reads the array's values as they were");
    driver_sqlite.finish(conn, cursor);
    driver_sqlite.close(conn);
}

static void test_operator_table(void) {
    bool right = true;
    for (int i = 0; i < OP_COUNT; i++) right = right && op_table[i].op == (enum op)i && op_table[i].name;
    CHECK(right, "every operator is in its row");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    RUN_CASES(cases);
    test_long(&arena);
    test_array_on_sqlite(&arena);
    test_operator_table();
    arena_free(&arena);
    return check_done();
}

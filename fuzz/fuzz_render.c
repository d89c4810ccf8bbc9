/* The renderer on any statement: bytes become a tree of the schema in ctest/blog.h, which is rendered for both engines.
 *
 *  - the text, read again by the lexer, has as many placeholders as there are parameters, in their order
 *  - it has no unfinished token, its parentheses are balanced, and every quoted name is one of the tree's
 *  - other values of the same kinds give the same text
 *  - SQLite finds no syntax error in it */
#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "blog.h"
#include "driver/sqlite_functions.h"
#include "fuzz.h"
#include "sql/ddl.h"
#include "sql/render.h"
#include "sql/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEEPEST = 6, LONGEST_TEXT = 24, MOST_ALIASES = 4 };

/* ------------------------------------------------------------------------------------------------ bytes to trees */

struct maker {
    const uint8_t *data;
    size_t size, at;
    struct arena *arena;
    struct blog blog;
    bool other_values;              /* the same tree with other values */
    const char *names[64];          /* result names that came from the bytes */
    int name_count;
};

/* The next byte; zeros after the end. */
static unsigned byte(struct maker *maker) {
    return maker->at < maker->size ? maker->data[maker->at++] : 0;
}

static unsigned below(struct maker *maker, unsigned limit) {
    return byte(maker) % limit;
}

/* Bytes without NUL as a text. */
static const char *any_text(struct maker *maker) {
    size_t len = below(maker, LONGEST_TEXT), used = 0;
    char *text = arena_alloc(maker->arena, len + 1);
    while (used < len && maker->at < maker->size) {
        char c = (char)byte(maker);
        if (c) text[used++] = c;
    }
    return text;
}

static const char *any_name(struct maker *maker) {
    const char *name = any_text(maker);
    if (maker->name_count == 64) return "n";
    return maker->names[maker->name_count++] = name;
}

static const struct model *any_model(struct maker *maker) {
    const struct model *models[] = { maker->blog.user, maker->blog.post, maker->blog.tag, maker->blog.post_tag,
                                     maker->blog.place };
    return models[below(maker, 5)];
}

static const struct attr *any_attr(struct maker *maker, const struct model *model) {
    return model->attrs[below(maker, (unsigned)model->attr_count)];
}

static struct value any_value(struct maker *maker) {
    static const char *const hostile[] = { "'; DROP TABLE users; --", "$1 ? :a \"x\" /*" };
    unsigned kind = below(maker, 7), payload = byte(maker);
    const char *text = any_text(maker);
    if (maker->other_values) payload = ~payload, text = hostile[payload & 1];
    switch (kind) {
    case 0:  return value_null();
    case 1:  return value_bool(payload & 1);
    case 2:  return value_real((double)payload / 3);
    case 3:  return value_blob(text, strlen(text));
    case 4:  return value_text(text, strlen(text));
    default: return value_int((int64_t)payload - 128);
    }
}

static const struct value *any_values(struct maker *maker, int count) {
    struct value *values = arena_array(maker->arena, struct value, count + 1);
    for (int i = 0; i < count; i++) values[i] = any_value(maker);
    return values;
}

/* Mostly few, at times as many as a long list or chain. */
static int any_count(struct maker *maker) {
    unsigned few = below(maker, 8);
    return few < 7 ? (int)few : (int)(below(maker, 4) * 250 + 100);
}

static struct select *any_select(struct maker *maker, int depth);
static struct expr *any_condition(struct maker *maker, const struct model *model, int depth);

static struct expr *any_column(struct maker *maker, const struct model *model) {
    int alias = below(maker, 3) ? ALIAS_HERE : (int)below(maker, MOST_ALIASES);
    return expr_column(maker->arena, any_attr(maker, model), alias);
}

static struct expr *with_arguments(struct maker *maker, struct expr *expr, const struct model *model, int depth);

/* A value of some kind. */
static struct expr *any_operand(struct maker *maker, const struct model *model, int depth) {
    static const char *const pieces[] = { "(", " || ", ")" };
    struct expr *expr;
    switch (depth > 0 ? below(maker, 10) : below(maker, 2)) {
    case 0: return expr_param(maker->arena, any_value(maker));
    case 2:
        expr = expr_new(maker->arena, EXPR_FUNCTION);
        expr->text = "coalesce";
        return with_arguments(maker, expr, model, depth);
    case 3:
        expr = expr_new(maker->arena, EXPR_RAW);
        expr->pieces = pieces;
        return with_arguments(maker, expr, model, depth);
    case 4:
        expr = expr_new(maker->arena, EXPR_CAST);
        expr->text = "TEXT";
        expr->first = any_operand(maker, model, depth - 1);
        return expr;
    case 5:
        expr = expr_new(maker->arena, EXPR_SELECT);
        expr->select = any_select(maker, depth - 1);
        return expr;
    case 6:
        expr = expr_new(maker->arena, EXPR_NAME);
        expr->text = any_name(maker);
        return expr;
    case 7: return any_condition(maker, model, depth - 1);
    case 8: return expr_at(maker->arena, (int)below(maker, MOST_ALIASES), any_operand(maker, model, depth - 1));
    default: return any_column(maker, model);
    }
}

static struct expr *with_arguments(struct maker *maker, struct expr *expr, const struct model *model, int depth) {
    expr->first = expr_at(maker->arena, ALIAS_HERE, any_operand(maker, model, depth - 1));
    expr->first->next = expr_at(maker->arena, ALIAS_HERE, any_operand(maker, model, depth - 1));
    return expr;
}

/* The operators both engines have. */
static struct expr *any_comparison(struct maker *maker, const struct model *model, int depth) {
    enum op op = (enum op)below(maker, OP_IS_NOT + 1);
    if (op == OP_IN || op == OP_NOT_IN) op = OP_EQ;
    struct expr *left = expr_at(maker->arena, ALIAS_HERE, any_operand(maker, model, depth - 1));
    struct expr *right = expr_at(maker->arena, ALIAS_HERE, any_operand(maker, model, depth - 1));
    struct expr *expr = expr_operator(maker->arena, op, left, right);
    if (op == OP_BETWEEN || op == OP_NOT_BETWEEN)
        right->next = expr_at(maker->arena, ALIAS_HERE, any_operand(maker, model, depth - 1));
    return expr;
}

static struct expr *any_group(struct maker *maker, const struct model *model, int depth) {
    struct expr *group = expr_group(maker->arena, below(maker, 2) ? EXPR_AND : EXPR_OR);
    int count = any_count(maker);
    for (int i = 0; i < count; i++) {
        bool simple = count > 6;
        expr_push(maker->arena, group, simple ? expr_attr_is(maker->arena, any_attr(maker, model), any_value(maker))
                                              : any_condition(maker, model, depth - 1));
    }
    return group;
}

static struct expr *any_keys(struct maker *maker, const struct model *model) {
    int tuples = any_count(maker);
    struct value *values = arena_array(maker->arena, struct value, tuples * model->key.count + 1);
    for (int i = 0; i < tuples * model->key.count; i++) values[i] = any_value(maker);
    return expr_keys(maker->arena, model->key, values, tuples);
}

static struct expr *any_list(struct maker *maker, const struct model *model, int depth) {
    int count = any_count(maker);
    enum op op = below(maker, 2) ? OP_IN : OP_NOT_IN;
    return expr_list(maker->arena, op, any_operand(maker, model, depth - 1), any_values(maker, count), count);
}

static struct expr *any_subquery(struct maker *maker, const struct model *model, int depth) {
    struct expr *expr = expr_new(maker->arena, below(maker, 2) ? EXPR_EXISTS : EXPR_SELECT);
    expr->select = any_select(maker, depth - 1);
    if (expr->kind == EXPR_EXISTS) return expr;
    expr->op = below(maker, 2) ? OP_IN : OP_NOT_IN;
    expr->first = any_operand(maker, model, depth - 1);
    return expr;
}

static struct expr *any_condition(struct maker *maker, const struct model *model, int depth) {
    if (depth <= 0) return expr_attr_is(maker->arena, any_attr(maker, model), any_value(maker));
    switch (below(maker, 8)) {
    case 0:  return expr_const(maker->arena, below(maker, 2));
    case 1:  return any_group(maker, model, depth);
    case 2:  return expr_not(maker->arena, any_condition(maker, model, depth - 1));
    case 3:  return any_list(maker, model, depth);
    case 4:  return any_keys(maker, model);
    case 5:  return any_subquery(maker, model, depth);
    case 6:  return expr_at(maker->arena, (int)below(maker, MOST_ALIASES), any_condition(maker, model, depth - 1));
    default: return any_comparison(maker, model, depth);
    }
}

/* --------------------------------------------------------------------------------------------------- statements */

static struct output *any_outputs(struct maker *maker, const struct model *model, int depth) {
    struct output *outputs = NULL;
    for (unsigned count = below(maker, 4); count > 0; count--) {
        const struct expr *expr = any_operand(maker, model, depth - 1);
        output_add(maker->arena, &outputs, expr, below(maker, 2) ? any_name(maker) : NULL);
    }
    return outputs;
}

static const struct order_term *any_order(struct maker *maker, const struct model *model, int depth) {
    struct order_term *order = NULL;
    for (unsigned count = below(maker, 3); count > 0; count--) {
        struct order_term *term = order_add(maker->arena, &order, any_operand(maker, model, depth - 1));
        term->descending = below(maker, 2);
        term->never_null = below(maker, 2);
        term->nulls = (enum nulls)below(maker, 3);
    }
    return order;
}

static void add_joins(struct maker *maker, struct select *select, int depth) {
    for (unsigned count = below(maker, 3), alias = 1; count > 0; count--, alias++) {
        const struct model *model = any_model(maker);
        enum join_kind kind = (enum join_kind)below(maker, 3);
        select_join(maker->arena, select, kind, model, (int)alias, any_condition(maker, model, depth - 1));
    }
}

static struct select *any_select(struct maker *maker, int depth) {
    const struct model *model = any_model(maker);
    struct select *select = select_new(maker->arena, model, (int)below(maker, MOST_ALIASES));
    unsigned flags = byte(maker);
    select->distinct = flags & 1;
    select->qualified = flags & 2;
    select->lock = (enum lock)(flags >> 2 & 3);
    select->skip_locked = flags & 16;
    select->outputs = any_outputs(maker, model, depth);
    if (depth <= 0) return select;
    if (flags & 32) select->from_select = any_select(maker, depth - 1);
    add_joins(maker, select, depth);
    if (flags & 64) select_where(maker->arena, select, any_condition(maker, model, depth));
    if (flags & 128) {
        output_add(maker->arena, &select->group, any_column(maker, model), NULL);
        select->having = any_condition(maker, model, depth - 1);
    }
    select->order = any_order(maker, model, depth);
    select->limit = (int64_t)below(maker, 4) - 1;
    select->offset = (int64_t)below(maker, 4) - 1;
    return select;
}

static struct assignment *any_assignments(struct maker *maker, const struct model *model) {
    struct assignment *set = NULL;
    assign(maker->arena, &set, any_attr(maker, model), any_operand(maker, model, DEEPEST - 1));
    if (below(maker, 2)) assign(maker->arena, &set, any_attr(maker, model), expr_param(maker->arena, any_value(maker)));
    return set;
}

static void fill_rows(struct maker *maker, struct insert *insert) {
    int cells = insert->rows * insert->attr_count;
    const struct expr **exprs = arena_array(maker->arena, const struct expr *, cells + 1);
    if (below(maker, 2)) {
        insert->values = any_values(maker, cells);
        return;
    }
    for (int i = 0; i < cells; i++) exprs[i] = any_operand(maker, insert->into, 2);
    insert->cells = exprs;
}

static struct insert *any_insert(struct maker *maker) {
    struct insert *insert = arena_new(maker->arena, struct insert);
    insert->into = any_model(maker);
    insert->attrs = insert->into->attrs;
    insert->attr_count = (int)below(maker, (unsigned)insert->into->attr_count + 1);
    insert->rows = 1 + (int)below(maker, 4);
    if (below(maker, 4) == 0) insert->select = any_select(maker, DEEPEST - 2);
    else fill_rows(maker, insert);
    if (!insert->attr_count && !insert->select) return insert;      /* DEFAULT VALUES takes no conflict clause */
    insert->conflict = (enum conflict)below(maker, 3);
    if (below(maker, 2)) insert->target = insert->into->key;
    insert->update = any_assignments(maker, insert->into);
    if (below(maker, 2)) insert->update_where = any_condition(maker, insert->into, 3);
    insert->returning = any_outputs(maker, insert->into, 2);
    return insert;
}

static struct statement *any_update(struct maker *maker, const struct dialect *dialect, struct error *error) {
    struct update update = { .model = any_model(maker) };
    update.set = any_assignments(maker, update.model);
    if (below(maker, 4)) update.where = any_condition(maker, update.model, DEEPEST);
    update.returning = any_outputs(maker, update.model, 2);
    return render_update(maker->arena, dialect, &update, error);
}

static struct statement *any_delete(struct maker *maker, const struct dialect *dialect, struct error *error) {
    struct delete delete = { .from = any_model(maker) };
    if (below(maker, 4)) delete.where = any_condition(maker, delete.from, DEEPEST);
    return render_delete(maker->arena, dialect, &delete, error);
}

/* The same bytes give the same statement, whatever the dialect. */
static struct statement *make(struct maker *maker, const struct dialect *dialect) {
    static struct error error;
    error_clear(&error);
    maker->at = 0;
    maker->name_count = 0;
    switch (below(maker, 6)) {
    case 0:  return render_insert(maker->arena, dialect, any_insert(maker), &error);
    case 1:  return any_update(maker, dialect, &error);
    case 2:  return any_delete(maker, dialect, &error);
    default: return render_select(maker->arena, dialect, any_select(maker, DEEPEST), &error);
    }
}

/* -------------------------------------------------------------------------------------------------------- checks */

/* True if the quoted token stands for this name. */
static bool quotes(const char *token, size_t size, const char *name) {
    size_t at = 1;
    for (; *name; name++) {
        if (at >= size || token[at++] != *name) return false;
        if (*name == '"' && (at >= size || token[at++] != '"')) return false;
    }
    return at == size - 1;
}

static bool model_has_name(const struct model *model, const char *token, size_t size) {
    if (quotes(token, size, model->table) || (model->table_schema && quotes(token, size, model->table_schema)))
        return true;
    for (int i = 0; i < model->attr_count; i++)
        if (quotes(token, size, model->attrs[i]->column)) return true;
    return false;
}

static bool is_known_name(const struct maker *maker, const char *token, size_t size) {
    for (const struct model *model = maker->blog.schema.models; model; model = model->next)
        if (model_has_name(model, token, size)) return true;
    for (int i = 0; i < maker->name_count; i++)
        if (quotes(token, size, maker->names[i])) return true;
    return quotes(token, size, "n");
}

static void check_tokens(const struct maker *maker, const struct dialect *dialect, const struct statement *statement) {
    bool postgres = dialect->mark == MARK_DOLLAR;
    struct sql_scan scan = { .text = statement->text, .len = statement->len, .dollar_quotes = postgres };
    int marks = 0, depth = 0;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;) {
        const char *text = sql_token_text(&scan, 0);
        MUST(token != SQL_UNFINISHED && token != SQL_SEMICOLON && token != SQL_COLON_NAME && token != SQL_DOLLAR_NAME);
        marks += token == SQL_QUESTION || token == SQL_DOLLAR_NUMBER;
        MUST(token != (postgres ? SQL_QUESTION : SQL_DOLLAR_NUMBER));
        MUST(token != SQL_DOLLAR_NUMBER || atoi(text + 1) == marks);
        MUST(text[0] != '"' || is_known_name(maker, text, scan.size));
        depth += text[0] == '(' ? 1 : text[0] == ')' ? -1 : 0;
        MUST(depth >= 0);
    }
    MUST(depth == 0 && marks == statement->param_count);
}

/* A database with the schema's tables. */
static sqlite3 *open_database(const struct schema *schema, struct arena *arena) {
    struct error error = { 0 };
    sqlite3 *db;
    MUST(sqlite3_open(":memory:", &db) == SQLITE_OK);
    MUST(sqlite_functions_add(db));
    for (const struct model *model = schema->models; model; model = model->next) {
        struct statement *create = ddl_create_table(arena, &dialect_sqlite, model, false, NULL, 0, &error);
        MUST(create && sqlite3_exec(db, create->text, NULL, NULL, NULL) == SQLITE_OK);
    }
    return db;
}

/* What may be wrong with a tree, as a column that is not there, is no fault of its text. */
static bool is_fault_of_text(const char *message) {
    static const char *const faults[] = { "syntax error", "unrecognized token", "incomplete input", "parser stack",
                                          "too large" };
    for (int i = 0; i < 5; i++)
        if (strstr(message, faults[i])) return true;
    return false;
}

static void check_on_sqlite(const struct maker *maker, const struct statement *statement) {
    static sqlite3 *db;
    sqlite3_stmt *prepared = NULL;
    if (!db) db = open_database(&maker->blog.schema, maker->arena);
    if (sqlite3_prepare_v2(db, statement->text, (int)statement->len, &prepared, NULL) != SQLITE_OK) {
        bool fault = is_fault_of_text(sqlite3_errmsg(db));
        if (fault) fprintf(stderr, "%s\n%s\n", sqlite3_errmsg(db), statement->text);
        MUST(!fault);
    } else {
        MUST(sqlite3_bind_parameter_count(prepared) == statement->param_count);
    }
    sqlite3_finalize(prepared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct dialect *const dialects[] = { &dialect_sqlite, &dialect_postgres };
    struct arena arena;
    arena_init(&arena, fuzz_out_of_memory, NULL);
    struct maker maker = { .data = data, .size = size, .arena = &arena };
    blog_init(&maker.blog, &arena);
    for (int i = 0; i < 2; i++) {
        maker.other_values = true;
        const struct statement *other = make(&maker, dialects[i]);
        maker.other_values = false;
        const struct statement *statement = make(&maker, dialects[i]);
        MUST(other && statement && strcmp(other->text, statement->text) == 0
             && other->param_count == statement->param_count);
        check_tokens(&maker, dialects[i], statement);
        if (i == 0) check_on_sqlite(&maker, statement);
    }
    arena_free(&arena);
    return 0;
}

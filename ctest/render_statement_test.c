/* Whole statements: the clauses of a select, insert and upsert, update, delete. */
#include "sql/query.h"

#include "cases.h"
#include "sql/render.h"

#define STATEMENT(name) \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error)

static const struct attr *attr(const struct model *model, const char *name) {
    return attr_find(model, name);
}

static struct expr *column(struct blog *blog, const struct model *model, const char *name, int alias) {
    return expr_column(blog->arena, attr(model, name), alias);
}

static struct expr *integer(struct blog *blog, int64_t number) {
    return expr_param(blog->arena, value_int(number));
}

static struct expr *call(struct blog *blog, const char *name, struct expr *argument) {
    struct expr *function = expr_new(blog->arena, EXPR_FUNCTION);
    function->text = name;
    function->first = argument;
    return function;
}

/* select->order is const, as a standing order of an association may stand there. */
static struct order_term *ordered(struct blog *blog, struct select *select, const struct expr *expr) {
    return order_add(blog->arena, (struct order_term **)(uintptr_t)&select->order, expr);
}

/* SELECT `name` FROM `users` */
static struct select *names(struct blog *blog) {
    struct select *select = select_new(blog->arena, blog->user, 0);
    output_add(blog->arena, &select->outputs, column(blog, blog->user, "name", ALIAS_HERE), NULL);
    return select;
}

/* ------------------------------------------------------------------------------------------------------ select */

STATEMENT(every_column) {
    return render_select(blog->arena, dialect, select_new(blog->arena, blog->user, 0), error);
}

STATEMENT(no_column) {
    struct model *empty = model_new(&blog->schema, "Empty", "users");
    return render_select(blog->arena, dialect, select_new(blog->arena, empty, 0), error);
}

STATEMENT(hostile_names) {
    struct select *select = select_new(blog->arena, blog->tag, 0);
    output_add(blog->arena, &select->outputs, column(blog, blog->tag, "word", ALIAS_HERE), "a\"b\" --; \"");
    return render_select(blog->arena, dialect, select, error);
}

/* Every column of the first table, with joins. */
STATEMENT(joins) {
    struct arena *arena = blog->arena;
    struct select *select = select_new(arena, blog->tag, 0);
    struct expr *link =
        expr_operator(arena, OP_EQ, column(blog, blog->post_tag, "tagId", 1), column(blog, blog->tag, "id", 0));
    struct expr *post =
        expr_operator(arena, OP_EQ, column(blog, blog->post, "id", 2), column(blog, blog->post_tag, "postId", 1));
    select_join(arena, select, JOIN_INNER, blog->post_tag, 1, link);
    select_join(arena, select, JOIN_LEFT, blog->post, 2, post);
    select_join(arena, select, JOIN_CROSS, blog->user, 3, expr_const(arena, true));
    select_where(arena, select, expr_attr_is(arena, attr(blog->tag, "word"), value_text("a", 1)));
    select_where(arena, select, expr_at(arena, 2, expr_attr_is(arena, attr(blog->post, "status"), value_null())));
    return render_select(arena, dialect, select, error);
}

STATEMENT(grouped) {
    struct arena *arena = blog->arena;
    struct select *select = select_new(arena, blog->post, 0);
    output_add(arena, &select->outputs, column(blog, blog->post, "status", ALIAS_HERE), NULL);
    output_add(arena, &select->outputs, call(blog, "count", expr_new(arena, EXPR_STAR)), "n");
    output_add(arena, &select->group, column(blog, blog->post, "status", ALIAS_HERE), NULL);
    select->having = expr_operator(arena, OP_GT, call(blog, "count", expr_new(arena, EXPR_STAR)), integer(blog, 1));
    struct expr *n = expr_new(arena, EXPR_NAME);
    n->text = "n";
    ordered(blog, select, n)->never_null = true;
    return render_select(arena, dialect, select, error);
}

STATEMENT(distinct) {
    struct select *select = names(blog);
    select->distinct = true;
    return render_select(blog->arena, dialect, select, error);
}

/* A subquery in place of the table; its parameters come first. */
STATEMENT(from_select) {
    struct arena *arena = blog->arena;
    struct select *inner = names(blog), *outer = select_new(arena, NULL, 5);
    inner->limit = 3;
    outer->from_select = inner;
    outer->qualified = true;
    output_add(arena, &outer->outputs, call(blog, "count", expr_new(arena, EXPR_STAR)), NULL);
    outer->where = expr_operator(arena, OP_EQ, integer(blog, 1), integer(blog, 2));
    return render_select(arena, dialect, outer, error);
}

/* ------------------------------------------------------------------------------------------------ order, limit */

static struct order_term *by_age(struct blog *blog, struct select *select) {
    return ordered(blog, select, column(blog, blog->user, "age", ALIAS_HERE));
}

STATEMENT(order_plain) {
    struct select *select = names(blog);
    by_age(blog, select);
    by_age(blog, select)->descending = true;
    by_age(blog, select)->never_null = true;
    return render_select(blog->arena, dialect, select, error);
}

STATEMENT(order_first) {
    struct select *select = names(blog);
    by_age(blog, select)->nulls = NULLS_FIRST;
    struct order_term *term = by_age(blog, select);
    term->descending = true;
    term->nulls = NULLS_FIRST;
    return render_select(blog->arena, dialect, select, error);
}

STATEMENT(order_last) {
    struct select *select = names(blog);
    by_age(blog, select)->nulls = NULLS_LAST;
    struct order_term *term = by_age(blog, select);
    term->descending = true;
    term->nulls = NULLS_LAST;
    return render_select(blog->arena, dialect, select, error);
}

STATEMENT(order_special) {
    struct select *select = names(blog);
    ordered(blog, select, column(blog, blog->user, "balance", ALIAS_HERE))->never_null = true;
    ordered(blog, select, column(blog, blog->user, "born", ALIAS_HERE))->never_null = true;
    return render_select(blog->arena, dialect, select, error);
}

static struct statement *limited(struct blog *blog, const struct dialect *dialect, struct error *error, int limit,
                                 int offset) {
    struct select *select = names(blog);
    select->limit = limit;
    select->offset = offset;
    return render_select(blog->arena, dialect, select, error);
}

STATEMENT(limit)            { return limited(blog, dialect, error, 3, -1); }
STATEMENT(limit_none)       { return limited(blog, dialect, error, 0, -1); }
STATEMENT(limit_and_offset) { return limited(blog, dialect, error, 3, 0); }
STATEMENT(offset)           { return limited(blog, dialect, error, -1, 7); }

STATEMENT(locked) {
    struct select *select = names(blog);
    select->lock = LOCK_NO_KEY_UPDATE;
    select->skip_locked = true;
    return render_select(blog->arena, dialect, select, error);
}

/* ------------------------------------------------------------------------------------------------------ insert */

enum { COLUMNS = 2 };

static struct insert *into_tags(struct blog *blog) {
    struct insert *insert = arena_new(blog->arena, struct insert);
    insert->into = blog->tag;
    insert->attrs = blog_list(blog->tag, "word", "kind").items;
    insert->attr_count = COLUMNS;
    return insert;
}

STATEMENT(insert_nothing) {
    struct insert insert = { .into = blog->tag };
    output_add(blog->arena, &insert.returning, column(blog, blog->tag, "id", ALIAS_HERE), NULL);
    return render_insert(blog->arena, dialect, &insert, error);
}

STATEMENT(insert_cells) {
    struct insert *insert = into_tags(blog);
    const struct expr **cells = arena_array(blog->arena, const struct expr *, COLUMNS);
    cells[0] = expr_param(blog->arena, value_text("a", 1));
    cells[1] = call(blog, "lower", expr_param(blog->arena, value_null()));
    insert->cells = cells;
    insert->rows = 1;
    return render_insert(blog->arena, dialect, insert, error);
}

/* NULL among values is bound; a missing cell is DEFAULT, which SQLite does not know. */
STATEMENT(insert_values) {
    struct insert *insert = into_tags(blog);
    struct value *values = arena_array(blog->arena, struct value, 2 * COLUMNS);
    values[0] = value_text("a", 1);
    values[3] = value_blob("\x01", 1);
    insert->values = values;
    insert->rows = 2;
    return render_insert(blog->arena, dialect, insert, error);
}

static struct insert *into_post_tags(struct blog *blog) {
    struct insert *insert = arena_new(blog->arena, struct insert);
    struct value *values = arena_array(blog->arena, struct value, COLUMNS);
    values[0] = value_int(1);
    values[1] = value_int(2);
    *insert = (struct insert){ .into = blog->post_tag, .attrs = blog->post_tag->key.items, .attr_count = COLUMNS,
                               .values = values, .rows = 1 };
    return insert;
}

STATEMENT(insert_or_not) {
    struct insert *insert = into_post_tags(blog);
    insert->conflict = CONFLICT_NOTHING;
    return render_insert(blog->arena, dialect, insert, error);
}

STATEMENT(upsert) {
    struct arena *arena = blog->arena;
    struct insert *insert = into_post_tags(blog);
    struct expr *proposed = expr_new(arena, EXPR_EXCLUDED);
    proposed->attr = attr(blog->post_tag, "note");
    insert->conflict = CONFLICT_UPDATE;
    insert->target = blog->post_tag->key;
    assign(arena, &insert->update, proposed->attr, proposed);
    assign(arena, &insert->update, attr(blog->post_tag, "tagId"), integer(blog, 9));
    insert->update_where = expr_attr_is(arena, attr(blog->post_tag, "postId"), value_int(4));
    output_add(arena, &insert->returning, column(blog, blog->post_tag, "note", ALIAS_HERE), NULL);
    return render_insert(arena, dialect, insert, error);
}

/* INSERT … SELECT … ON CONFLICT */
static struct statement *from_query(struct blog *blog, const struct dialect *dialect, struct error *error,
                                    void (*ending)(struct blog *, struct select *)) {
    struct arena *arena = blog->arena;
    struct select *select = select_new(arena, blog->tag, 3);
    output_add(arena, &select->outputs, column(blog, blog->tag, "id", ALIAS_HERE), NULL);
    output_add(arena, &select->outputs, integer(blog, 5), NULL);
    ending(blog, select);
    struct insert insert = { .into = blog->post_tag,
                             .attrs = blog->post_tag->key.items,
                             .attr_count = COLUMNS,
                             .select = select,
                             .conflict = CONFLICT_NOTHING };
    return render_insert(arena, dialect, &insert, error);
}

static void end_plain(struct blog *blog, struct select *select) {
    (void)blog, (void)select;
}

static void end_where(struct blog *blog, struct select *select) {
    select->where = expr_attr_is(blog->arena, attr(blog->tag, "word"), value_text("a", 1));
}

static void end_limit(struct blog *blog, struct select *select) {
    (void)blog;
    select->limit = 2;
}

static void end_join(struct blog *blog, struct select *select) {
    select_join(blog->arena, select, JOIN_INNER, blog->post, 4, expr_const(blog->arena, true));
}

static void end_join_ordered(struct blog *blog, struct select *select) {
    end_join(blog, select);
    ordered(blog, select, column(blog, blog->tag, "id", ALIAS_HERE))->never_null = true;
}

STATEMENT(insert_select)          { return from_query(blog, dialect, error, end_plain); }
STATEMENT(insert_select_where)    { return from_query(blog, dialect, error, end_where); }
STATEMENT(insert_select_limit)    { return from_query(blog, dialect, error, end_limit); }
STATEMENT(insert_select_join)     { return from_query(blog, dialect, error, end_join); }
STATEMENT(insert_select_ordered)  { return from_query(blog, dialect, error, end_join_ordered); }

/* ---------------------------------------------------------------------------------------------- update, delete */

STATEMENT(update_some) {
    struct arena *arena = blog->arena;
    struct update update = { .model = blog->user };
    struct expr *older = expr_operator(arena, OP_LT, column(blog, blog->user, "age", ALIAS_HERE), integer(blog, 5));
    assign(arena, &update.set, attr(blog->user, "name"), expr_param(arena, value_text("x", 1)));
    assign(arena, &update.set, attr(blog->user, "age"), expr_param(arena, value_null()));
    update.where = older;
    output_add(arena, &update.returning, column(blog, blog->user, "id", ALIAS_HERE), "key");
    return render_update(arena, dialect, &update, error);
}

STATEMENT(update_all) {
    struct update update = { .model = blog->place };
    assign(blog->arena, &update.set, attr(blog->place, "label"), column(blog, blog->place, "shelf", ALIAS_HERE));
    return render_update(blog->arena, dialect, &update, error);
}

STATEMENT(delete_all) {
    return render_delete(blog->arena, dialect, &(struct delete){ .from = blog->place }, error);
}

STATEMENT(delete_some) {
    struct delete delete = { .from = blog->place };
    delete.where = expr_attr_is(blog->arena, attr(blog->place, "shop"), value_int(1));
    output_add(blog->arena, &delete.returning, expr_new(blog->arena, EXPR_STAR), NULL);
    return render_delete(blog->arena, dialect, &delete, error);
}

/* The first error stays and nothing comes out. */
STATEMENT(failed_before) {
    error_set(error, blog->arena, ERROR_USAGE, "no such thing");
    return every_column(blog, dialect, error);
}

#define LINKS "INSERT INTO `post_tags` (`postId`, `tagId`) "

static const struct sql_case cases[] = {
    { "every column", every_column, "SELECT `id`, `name`, `age`, `balance`, `born` FROM `users`", NULL },
    { "a model without attributes", no_column, "SELECT 1 FROM `users`", NULL },
    { "a hostile name", hostile_names, "SELECT `word` AS `a``b`` --; ``` FROM `tags`", NULL },
    { "joins", joins,
      "SELECT t0.`id`, t0.`word`, t0.`kind` FROM `tags` AS t0 INNER JOIN `post_tags` AS t1 ON t1.`tagId` = t0.`id`"
      " LEFT OUTER JOIN `posts` AS t2 ON t2.`id` = t1.`postId` CROSS JOIN `users` AS t3 ON 1 = 1"
      " WHERE t0.`word` = ? AND t2.`status` IS NULL | 'a'",
      "SELECT t0.`id`, t0.`word`, t0.`kind` FROM `tags` AS t0 INNER JOIN `post_tags` AS t1 ON t1.`tagId` = t0.`id`"
      " LEFT OUTER JOIN `posts` AS t2 ON t2.`id` = t1.`postId` INNER JOIN `users` AS t3 ON 1 = 1"
      " WHERE t0.`word` = $1 AND t2.`status` IS NULL | 'a'" },
    { "groups", grouped,
      "SELECT `status`, count(*) AS `n` FROM `posts` GROUP BY `status` HAVING count(*) > ? ORDER BY `n` | 1", NULL },
    { "distinct", distinct, "SELECT DISTINCT `name` FROM `users`", NULL },
    { "from a subquery", from_select,
      "SELECT count(*) FROM (SELECT t0.`name` FROM `users` AS t0 LIMIT ?) AS t5 WHERE ? = ? | 3, 1, 2", NULL },

    { "NULL is the largest", order_plain,
      "SELECT `name` FROM `users` ORDER BY `age` NULLS LAST, `age` DESC NULLS FIRST, `age`",
      "SELECT `name` FROM `users` ORDER BY `age`, `age` DESC, `age`" },
    { "NULLS FIRST", order_first, "SELECT `name` FROM `users` ORDER BY `age`, `age` DESC NULLS FIRST",
      "SELECT `name` FROM `users` ORDER BY `age` NULLS FIRST, `age` DESC" },
    { "NULLS LAST", order_last, "SELECT `name` FROM `users` ORDER BY `age` NULLS LAST, `age` DESC",
      "SELECT `name` FROM `users` ORDER BY `age`, `age` DESC NULLS LAST" },
    { "order of long decimals and mixed dates", order_special,
      "SELECT `name` FROM `users` ORDER BY `balance` COLLATE liga_decimal, liga_date(`born`)",
      "SELECT `name` FROM `users` ORDER BY `balance`, `born`" },
    { "limit", limit, "SELECT `name` FROM `users` LIMIT ? | 3", NULL },
    { "limit 0", limit_none, "SELECT `name` FROM `users` LIMIT ? | 0", NULL },
    { "limit and offset", limit_and_offset, "SELECT `name` FROM `users` LIMIT ? OFFSET ? | 3, 0", NULL },
    { "offset alone", offset, "SELECT `name` FROM `users` LIMIT ? OFFSET ? | -1, 7",
      "SELECT `name` FROM `users` OFFSET $1 | 7" },
    { "a lock", locked, "SELECT `name` FROM `users`", "SELECT `name` FROM `users` FOR NO KEY UPDATE SKIP LOCKED" },

    { "insert nothing", insert_nothing, "INSERT INTO `tags` DEFAULT VALUES RETURNING `id`", NULL },
    { "insert cells", insert_cells, "INSERT INTO `tags` (`word`, `kind`) VALUES (?, lower(NULL)) | 'a'", NULL },
    { "insert values", insert_values,
      "INSERT INTO `tags` (`word`, `kind`) VALUES (?, ?), (?, ?) | 'a', NULL, NULL, x'01'", NULL },
    { "insert or do nothing", insert_or_not, LINKS "VALUES (?, ?) ON CONFLICT DO NOTHING | 1, 2", NULL },
    { "upsert", upsert,
      LINKS "VALUES (?, ?) ON CONFLICT (`postId`, `tagId`) DO UPDATE SET `note` = excluded.`note`, `tagId` = ?"
            " WHERE `postId` = ? RETURNING `note` | 1, 2, 9, 4",
      NULL },
    { "insert from a query", insert_select, LINKS "SELECT `id`, ? FROM `tags` WHERE true ON CONFLICT DO NOTHING | 5",
      NULL },
    { "… with a condition", insert_select_where,
      LINKS "SELECT `id`, ? FROM `tags` WHERE `word` = ? ON CONFLICT DO NOTHING | 5, 'a'", NULL },
    { "… with a limit", insert_select_limit, LINKS "SELECT `id`, ? FROM `tags` LIMIT ? ON CONFLICT DO NOTHING | 5, 2",
      NULL },
    { "… with a join", insert_select_join,
      LINKS
      "SELECT t3.`id`, ? FROM `tags` AS t3 INNER JOIN `posts` AS t4 ON 1 = 1 WHERE true ON CONFLICT DO NOTHING | 5",
      NULL },
    { "… with a join and an order", insert_select_ordered,
      LINKS "SELECT t3.`id`, ? FROM `tags` AS t3 INNER JOIN `posts` AS t4 ON 1 = 1 ORDER BY t3.`id` ON CONFLICT"
            " DO NOTHING | 5",
      NULL },

    { "update", update_some,
      "UPDATE `users` SET `name` = ?, `age` = NULL WHERE `age` < ? RETURNING `id` AS `key` | 'x', 5", NULL },
    { "update all", update_all, "UPDATE `places` SET `label` = `shelf`",
      "UPDATE `shop`.`places` SET `label` = `shelf`" },
    { "delete all", delete_all, "DELETE FROM `places`", "DELETE FROM `shop`.`places`" },
    { "delete", delete_some, "DELETE FROM `places` WHERE `shop` = ? RETURNING * | 1",
      "DELETE FROM `shop`.`places` WHERE `shop` = $1 RETURNING * | 1" },
    { "after an error", failed_before, "error: no such thing", NULL },
};

int main(void) {
    RUN_CASES(cases);
    return check_done();
}

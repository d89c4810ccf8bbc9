/* Plans: columns and nodes, links from a source row, count. */
#include "load/plan.h"

#include "cases.h"

#define STATEMENT(name) \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error)

static const struct attr *attr(const struct model *model, const char *name) {
    return attr_find(model, name);
}

static struct statement *render(struct blog *blog, const struct dialect *dialect, const struct plan *plan,
                                struct error *error) {
    return render_select(blog->arena, dialect, plan->select, error);
}

static struct expr *count_star(struct blog *blog) {
    struct expr *count = expr_new(blog->arena, EXPR_FUNCTION);
    count->text = "count";
    count->first = expr_new(blog->arena, EXPR_STAR);
    return count;
}

/* ----------------------------------------------------------------------------------------------------- columns */

STATEMENT(all_columns) {
    struct plan *plan = plan_new(blog->arena, blog->tag);
    plan_attrs(blog->arena, plan, blog->tag, 0);
    return render(blog, dialect, plan, error);
}

/* What follows all columns must not take their place. */
STATEMENT(all_and_more) {
    struct plan *plan = plan_new(blog->arena, blog->tag);
    plan_attrs(blog->arena, plan, blog->tag, 0);
    plan_expression(blog->arena, plan, count_star(blog), "n", NULL);
    plan_attr(blog->arena, plan, attr(blog->tag, "word"), 0);
    return render(blog, dialect, plan, error);
}

STATEMENT(some_columns) {
    struct plan *plan = plan_new(blog->arena, blog->post);
    plan_attr(blog->arena, plan, attr(blog->post, "userId"), 0);
    plan_attr(blog->arena, plan, attr(blog->post, "title"), 0);
    return render(blog, dialect, plan, error);
}

STATEMENT(two_nodes) {
    struct arena *arena = blog->arena;
    struct plan *plan = plan_new(arena, blog->post);
    plan_attr(arena, plan, attr(blog->post, "id"), 0);
    plan_node(arena, plan, blog->tag, 0, "tag");
    select_join(arena, plan->select, JOIN_LEFT, blog->tag, 1, expr_const(arena, true));
    plan_attrs(arena, plan, blog->tag, 1);
    return render(blog, dialect, plan, error);
}

/* ------------------------------------------------------------------------------------------------------- links */

static struct statement *linked(struct blog *blog, const struct dialect *dialect, const struct assoc *assoc,
                                struct value key, struct error *error) {
    struct plan *plan = plan_new(blog->arena, assoc->target);
    struct value keys[] = { key };
    select_where(blog->arena, plan->select, expr_attr_is(blog->arena, assoc->target->key.items[0], value_int(7)));
    plan_link(blog->arena, plan, assoc, keys);
    plan_attr(blog->arena, plan, assoc->target->key.items[0], 0);
    return render(blog, dialect, plan, error);
}

STATEMENT(one_hop)   { return linked(blog, dialect, blog->posts, value_int(1), error); }
STATEMENT(null_key)  { return linked(blog, dialect, blog->author, value_null(), error); }
STATEMENT(two_hops)  { return linked(blog, dialect, blog->tags, value_int(1), error); }

STATEMENT(standing_where) {
    struct assoc assoc = *blog->posts;
    assoc.where = expr_attr_is(blog->arena, attr(blog->post, "status"), value_text("open", 4));
    return linked(blog, dialect, &assoc, value_int(1), error);
}

/* The junction has a condition of its own. */
STATEMENT(junction_scope) {
    blog->tags->hops[0].scope = expr_attr_is(blog->arena, attr(blog->post_tag, "note"), value_text("n", 1));
    return linked(blog, dialect, blog->tags, value_int(1), error);
}

/* A composite key of the source. */
STATEMENT(composite) {
    struct assoc assoc = *blog->posts;
    struct hop hop = { .next = blog->post, .near = blog->place->key, .far = blog_list(blog->post, "userId", "title") };
    static const struct value keys[] = { { .kind = VALUE_INT, .as.integer = 3 },
                                         { .kind = VALUE_TEXT, .len = 1, .as.text = "b" } };
    struct plan *plan = plan_new(blog->arena, blog->post);
    assoc.hops = &hop;
    plan_link(blog->arena, plan, &assoc, keys);
    plan_attr(blog->arena, plan, attr(blog->post, "id"), 0);
    return render(blog, dialect, plan, error);
}

/* ------------------------------------------------------------------------------------------------------- count */

static struct statement *counted(struct blog *blog, const struct dialect *dialect, struct error *error,
                                 void (*change)(struct blog *, struct select *)) {
    struct plan *plan = plan_new(blog->arena, blog->user);
    plan_attr(blog->arena, plan, attr(blog->user, "name"), 0);
    select_where(blog->arena, plan->select, expr_attr_is(blog->arena, attr(blog->user, "age"), value_int(5)));
    change(blog, plan->select);
    return render_select(blog->arena, dialect, plan_count(blog->arena, plan->select), error);
}

static void ordered(struct blog *blog, struct select *select) {
    struct order_term *order = NULL;
    order_add(blog->arena, &order, expr_column(blog->arena, attr(blog->user, "name"), ALIAS_HERE));
    select->order = order;
    select->lock = LOCK_UPDATE;
}

static void grouped(struct blog *blog, struct select *select) {
    output_add(blog->arena, &select->group, expr_column(blog->arena, attr(blog->user, "name"), ALIAS_HERE), NULL);
}

static void limited(struct blog *blog, struct select *select) {
    (void)blog;
    select->limit = 3;
}

static void distinct(struct blog *blog, struct select *select) {
    (void)blog;
    select->distinct = true;
}

STATEMENT(count_ordered)   { return counted(blog, dialect, error, ordered); }
STATEMENT(count_grouped)   { return counted(blog, dialect, error, grouped); }
STATEMENT(count_limited)   { return counted(blog, dialect, error, limited); }
STATEMENT(count_distinct)  { return counted(blog, dialect, error, distinct); }

static const struct sql_case cases[] = {
    { "all columns", all_columns, "SELECT `id`, `word`, `kind` FROM `tags`", NULL },
    { "all columns and more", all_and_more, "SELECT `id`, `word`, `kind`, count(*) AS `n`, `word` FROM `tags`", NULL },
    { "some columns", some_columns, "SELECT `user_id`, `headline` FROM `posts`", NULL },
    { "columns of two nodes", two_nodes,
      "SELECT t0.`id`, t1.`id`, t1.`word`, t1.`kind` FROM `posts` AS t0 LEFT OUTER JOIN `tags` AS t1 ON 1 = 1", NULL },
    { "one hop", one_hop, "SELECT `id` FROM `posts` WHERE `id` = ? AND `user_id` = ? | 7, 1", NULL },
    { "a key that is NULL", null_key, "SELECT `id` FROM `users` WHERE `id` = ? AND (`id` IS NULL) | 7", NULL },
    { "two hops and a scope", two_hops,
      "SELECT t0.`id` FROM `post_tags` AS t1 CROSS JOIN `tags` AS t0 ON t0.`id` = t1.`tagId`"
      " WHERE t1.`postId` = ? AND (t0.`id` = ? AND t0.`kind` = ?) | 1, 7, 'post'",
      "SELECT t0.`id` FROM `post_tags` AS t1 INNER JOIN `tags` AS t0 ON t0.`id` = t1.`tagId`"
      " WHERE t1.`postId` = $1 AND (t0.`id` = $2 AND t0.`kind` = $3) | 1, 7, 'post'" },
    { "a standing condition", standing_where,
      "SELECT `id` FROM `posts` WHERE (`id` = ? AND `status` = ?) AND `user_id` = ? | 7, 'open', 1", NULL },
    { "a condition on the junction", junction_scope,
      "SELECT t0.`id` FROM `post_tags` AS t1 CROSS JOIN `tags` AS t0 ON t0.`id` = t1.`tagId`"
      " WHERE t1.`postId` = ? AND t1.`note` = ? AND (t0.`id` = ? AND t0.`kind` = ?) | 1, 'n', 7, 'post'",
      "SELECT t0.`id` FROM `post_tags` AS t1 INNER JOIN `tags` AS t0 ON t0.`id` = t1.`tagId`"
      " WHERE t1.`postId` = $1 AND t1.`note` = $2 AND (t0.`id` = $3 AND t0.`kind` = $4) | 1, 'n', 7, 'post'" },
    { "a composite key", composite, "SELECT `id` FROM `posts` WHERE `user_id` = ? AND `headline` = ? | 3, 'b'", NULL },
    { "count needs neither order nor lock", count_ordered, "SELECT count(*) FROM `users` WHERE `age` = ? | 5", NULL },
    { "count of groups", count_grouped,
      "SELECT count(*) FROM (SELECT `name` FROM `users` WHERE `age` = ? GROUP BY `name`) AS t1000 | 5", NULL },
    { "count of some", count_limited,
      "SELECT count(*) FROM (SELECT `name` FROM `users` WHERE `age` = ? LIMIT ?) AS t1000 | 5, 3", NULL },
    { "count of distinct rows", count_distinct,
      "SELECT count(*) FROM (SELECT DISTINCT `name` FROM `users` WHERE `age` = ?) AS t1000 | 5", NULL },
};

/* ------------------------------------------------------------------------------------------------- bookkeeping */

static void test_columns(struct arena *arena) {
    struct blog blog;
    blog_init(&blog, arena);
    struct plan *plan = plan_new(arena, blog.user);
    plan_attrs(arena, plan, blog.user, 0);
    plan_expression(arena, plan, count_star(&blog), "n", NULL);
    CHECK(plan->node_count == 1 && plan->nodes[0].parent == -1 && plan->nodes[0].model == blog.user, "the root");
    CHECK(plan->column_count == 6 && plan->nodes[0].count == 6, "five attributes and an expression");
    const struct plan_column *name = &plan->columns[1], *balance = &plan->columns[3], *n = &plan->columns[5];
    CHECK(name->tracked && name->attr == attr(blog.user, "name") && name->settled == VALUE_TEXT,
          "an attribute is tracked");
    CHECK(balance->settled == -1, "a decimal is always looked at");
    CHECK(!n->tracked && !n->attr && strcmp(n->name, "n") == 0 && n->settled == -1, "an expression is not");
}

static void test_nodes(struct arena *arena) {
    struct blog blog;
    blog_init(&blog, arena);
    struct plan *plan = plan_new(arena, blog.post);
    plan_attr(arena, plan, attr(blog.post, "id"), 0);
    bool right = true;
    for (int i = 1; i < 100; i++) {
        right = right && plan_node(arena, plan, blog.tag, i - 1, "tag") == i;
        plan_attr(arena, plan, attr(blog.tag, "id"), i);
        plan_attr(arena, plan, attr(blog.tag, "word"), i);
    }
    for (int i = 1; i < 100; i++)
        right = right && plan->nodes[i].first == 2 * i - 1 && plan->nodes[i].count == 2
                && plan->nodes[i].parent == i - 1 && plan->nodes[i - 1].children == 1;
    CHECK(right && plan->node_count == 100 && plan->column_count == 199, "100 nodes with their columns");
}

static void test_junction_alias(struct arena *arena) {
    struct blog blog;
    struct value key = value_int(1);
    blog_init(&blog, arena);
    struct plan *plan = plan_new(arena, blog.tag), *plain = plan_new(arena, blog.post);
    CHECK(plan_link(arena, plan, blog.tags, &key) == 1 && plan->next_alias == 2, "the junction is t1");
    CHECK(plan_link(arena, plain, blog.posts, &key) == -1 && plain->next_alias == 1,
          "without junction there is no alias");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    RUN_CASES(cases);
    test_columns(&arena);
    test_nodes(&arena);
    test_junction_alias(&arena);
    arena_free(&arena);
    return check_done();
}
